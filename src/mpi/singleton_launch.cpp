// SPDX-License-Identifier: MIT
#include "mpi/singleton_launch.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace popflow::mpi {

bool is_singleton_launch(const char* const* environment) {
    // Variables that mpirun, PMIx, PMI-1 and PMI-2 (Slurm, Hydra, Flux), Slurm steps, ALPS, PALS and JSM set.
    constexpr std::array<std::string_view, 7> launcher_variables{
        "OMPI_COMM_WORLD_", "PMIX_RANK=", "PMI_", "SLURM_STEP_NUM_TASKS=", "ALPS_", "PALS_", "JSM_"};
    for (; *environment != nullptr; ++environment) {
        const std::string_view entry(*environment);
        if (std::ranges::any_of(launcher_variables,
                                [&](std::string_view begin) { return entry.starts_with(begin); }))
            return false;
    }
    return true;
}

void prepare_singleton_launch() {
    if (!is_singleton_launch(environ)) return;
    constexpr int keep = 0;  // does not overwrite a variable of the user
    if (std::getenv("OMPI_MCA_ess_singleton_isolated") == nullptr) {
        ::setenv("OMPI_MCA_ess_singleton_isolated", "1", keep);
        // Otherwise all singletons of a user share one session folder, and each removes it while others use
        // it.
        ::setenv("OMPI_MCA_orte_create_session_dirs", "0", keep);
    }
    ::setenv("OMPI_MCA_pml", "ob1", keep);
    ::setenv("OMPI_MCA_btl", "self", keep);
}

}  // namespace popflow::mpi
