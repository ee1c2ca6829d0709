// SPDX-License-Identifier: MIT
#include "ot/bidding.hpp"

#include <algorithm>
#include <limits>

namespace popflow::ot {

namespace {

constexpr std::int64_t unreached = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t arcs_per_row = 32;
// Rounds end after this many bids a row, whatever is left.
constexpr std::size_t bids_with_increment = 50;
constexpr std::size_t bids_without = 8;
// Increments: the first in parts of the largest cost, and what the next ones are divided by.
constexpr std::int64_t first_part = 1024;
constexpr std::int64_t step = 4;
constexpr std::size_t increments = 3;
// The duals are good if bids without an increment leave no more than one in this many rows.
constexpr std::size_t rows_per_left = 50;

struct Choice {
    std::uint32_t col = 0;
    std::uint32_t second_col = 0;
    std::int64_t reduced = unreached;
    std::int64_t second = unreached;  // or a bound on it
};

class Auction {
  public:
    explicit Auction(PartialPlan& plan) : plan_(plan) {}

    // Goes on until all rows are placed or tied, or after this many bids a row; returns how many are not placed.
    std::size_t round(std::int64_t increment, std::size_t bids) {
        waiting_.clear();
        for (auto i = static_cast<std::uint32_t>(plan_.supply.size()); i-- > 0;) {
            if (plan_.supply[i] > 0) waiting_.push_back(i);
        }
        std::size_t tied = 0;
        for (std::size_t l = 0; l < bids * plan_.supply.size() && !waiting_.empty(); ++l) {
            const std::uint32_t row = waiting_.back();
            waiting_.pop_back();
            tied += place(row, increment) ? 0 : 1;
        }
        return waiting_.size() + tied;
    }

  private:
    // A column that the row has to itself is no choice.
    bool owned(std::uint32_t col, std::uint32_t row) const {
        const auto& shares = plan_.shares[col];
        return plan_.demand[col] == 0 && shares.size() == 1 && shares[0].row == row;
    }

    Choice listed_choice(std::uint32_t row) const {
        Choice choice;
        for (const auto& [c, least, j] : plan_.candidates.row(row)) {
            if (least >= choice.second) break;
            const std::int64_t reduced = c - plan_.g[j];
            if (reduced >= choice.second || owned(j, row)) continue;
            if (reduced < choice.reduced) {
                choice.second = choice.reduced;
                choice.second_col = choice.col;
                choice.reduced = reduced;
                choice.col = j;
            } else {
                choice.second = reduced;
                choice.second_col = j;
            }
        }
        return choice;
    }

    Choice choose(std::uint32_t row) {
        Choice choice = listed_choice(row);
        if (choice.reduced > plan_.candidates.bound(row)) {
            plan_.candidates.list(row, arcs_per_row);
            choice = listed_choice(row);
        }
        // An arc that is not listed may be second.
        if (plan_.candidates.bound(row) < choice.second) {
            choice.second = std::max(plan_.candidates.bound(row), choice.reduced);
            choice.second_col = choice.col;
        }
        return choice;
    }

    // Returns false where two full columns are equally good: then a bid without an increment has no effect.
    bool place(std::uint32_t row, std::int64_t increment) {
        const Choice choice = choose(row);
        if (choice.reduced == unreached) return false;
        const std::int64_t margin = choice.second == unreached ? 0 : choice.second - choice.reduced;
        std::uint32_t col = choice.col;
        if (margin + increment == 0 && plan_.demand[col] == 0) {
            col = choice.second_col;
            if (plan_.demand[col] == 0) return false;
        }
        std::int64_t units = plan_.supply[row];
        if (plan_.demand[col] == 0) units = displace(col, row, units);
        units = std::min(units, plan_.demand[col]);
        plan_.supply[row] -= units;
        plan_.demand[col] -= units;
        plan_.add(col, row, units);
        if (plan_.demand[col] == 0 && margin + increment > 0) plan_.lower(col, margin + increment);
        if (plan_.supply[row] > 0) waiting_.push_back(row);
        return true;
    }

    // Frees up to `units` of a column from other rows, those first that have been there longest.
    std::int64_t displace(std::uint32_t col, std::uint32_t row, std::int64_t units) {
        auto& shares = plan_.shares[col];
        std::int64_t freed = 0;
        for (auto& share : shares) {
            if (share.row == row || freed == units) continue;
            const std::int64_t taken = std::min(share.units, units - freed);
            if (plan_.supply[share.row] == 0) waiting_.push_back(share.row);
            plan_.supply[share.row] += taken;
            share.units -= taken;
            freed += taken;
        }
        std::erase_if(shares, [](const PartialPlan::Share& share) { return share.units == 0; });
        plan_.demand[col] += freed;
        return freed;
    }

    PartialPlan& plan_;
    std::vector<std::uint32_t> waiting_;
};

}  // namespace

void bid(PartialPlan& plan, std::int64_t largest) {
    Auction auction(plan);
    if (auction.round(0, bids_without) * rows_per_left > plan.supply.size()) {
        std::int64_t increment = largest / first_part;
        for (std::size_t l = 0; l < increments && increment > 0; ++l, increment /= step) {
            plan.clear();
            auction.round(increment, bids_with_increment);
        }
        plan.clear();
        auction.round(0, bids_without);
    }
    plan.make_tight();
}

}  // namespace popflow::ot
