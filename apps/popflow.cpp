// SPDX-License-Identifier: MIT
#include <cstdio>

#include "core/version.hpp"

int main() {
    std::printf("popflow %s (%s)\n", popflow::core::version(), popflow::core::commit());
    return 0;
}
