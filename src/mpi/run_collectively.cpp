// SPDX-License-Identifier: MIT
#include "mpi/run_collectively.hpp"

#include <array>
#include <new>
#include <string>

#include "core/error.hpp"

namespace popflow::mpi {

void run_collectively(const Communicator& comm, const std::function<void()>& work) {
    std::string problem;
    bool has_failed = true;
    bool is_user_error = true;
    try {
        work();
        has_failed = false;
    } catch (const core::UserError& error) {
        problem = error.what();
    } catch (const std::bad_alloc&) {
        problem = "out of memory";
        is_user_error = false;
    } catch (const std::exception& error) {
        problem = error.what();
        is_user_error = false;
    }
    std::array<std::int64_t, 2> failed{has_failed ? 1 : 0, is_user_error ? 0 : 1};
    comm.sum(std::span<std::int64_t>(failed));
    if (failed[0] == 0) return;
    for (const std::string& text : comm.gather(problem)) {
        if (text.empty()) continue;
        problem = text;
        break;
    }
    if (problem.empty()) problem = "another rank failed";
    if (failed[1] == 0) throw core::UserError(problem);
    throw core::Error(problem);
}

}  // namespace popflow::mpi
