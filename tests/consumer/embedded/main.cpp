// SPDX-License-Identifier: MIT
// Compiles without a warning with -Wall -Wextra, but not with popflow's own -Wconversion -Wshadow -Werror.
#include <popflow/popflow.hpp>

#include <cstdio>

#if __has_include("core/error.hpp")
#error "the internal headers of popflow are visible"
#endif
#ifdef _OPENMP
#error "the compiler flags of OpenMP leak"
#endif

int main() {
    const double value = 2.5;
    const int rounded = value;  // loses the fraction: -Wconversion warns
    {
        const double value = rounded;  // hides a variable: -Wshadow warns
        std::printf("%s %g\n", popflow::version().c_str(), value);
    }
    return 0;
}
