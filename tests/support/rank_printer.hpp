// SPDX-License-Identifier: MIT
#pragma once

namespace popflow::support {

/// Replaces the output of GoogleTest by one that several ranks can write at the same time.
///
/// Each line of a failure begins with `[rank R]`. Only rank 0 prints the progress and the summary, and only
/// rank 0 writes the file of --gtest_output. Call it after testing::InitGoogleTest().
void print_as_rank(int rank);

}  // namespace popflow::support
