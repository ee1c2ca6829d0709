// SPDX-License-Identifier: MIT
#pragma once

#include "ot/partial_plan.hpp"

namespace popflow::ot {

/// Brings the duals of a plan near the optimal ones and moves what mass it can, by an auction.
///
/// A row with supply left takes the column of least c_ij - g_j, from other rows if that is full, and lowers g_j
/// until the column is no better than the row's second choice; those that lost theirs bid again. This settles
/// nearly all rows where the duals are good. Where they are not, rounds in which each bid lowers its column by
/// an increment more, which shrinks from round to round, come before a last one without. Leaves a plan that is
/// tight, if not whole.
///
/// Source: Bertsekas, "The auction algorithm: a distributed relaxation method for the assignment problem",
///         Annals of Operations Research 14, 1988; without increment: the augmenting row reduction of Jonker
///         and Volgenant, Computing 38, 1987.
/// @param largest  cost
void bid(PartialPlan& plan, std::int64_t largest);

}  // namespace popflow::ot
