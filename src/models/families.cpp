// SPDX-License-Identifier: MIT
#include "models/families.hpp"

#include <array>

#include "models/flow_matching_family.hpp"
#include "models/gaussian_flow.hpp"
#include "models/icnn_transport.hpp"
#include "models/identity.hpp"
#include "models/mean_shift.hpp"
#include "models/meta_icnn.hpp"
#include "models/meta_ot.hpp"
#include "models/moment_map.hpp"
#include "models/set_flow.hpp"

namespace popflow::models {

std::span<const Family* const> families() {
    // clang-format off
    static const std::array all{
        fm_family(),
        cgfm_family(),
        icnn_family(),
        mfm_family(),
        identity_family(),
        mean_shift_family(),
        moment_map_family(),
        meta_ot_family(),
        gaussian_flow_family(),
        set_flow_family(),
        meta_icnn_family(),
    };
    // clang-format on
    return all;
}

}  // namespace popflow::models
