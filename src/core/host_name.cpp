// SPDX-License-Identifier: MIT
#include "core/host_name.hpp"

#include <unistd.h>

#include <array>

namespace popflow::core {

std::string host_name() {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    return name.data();
}

}  // namespace popflow::core
