// SPDX-License-Identifier: MIT
#pragma once

#include "models/family.hpp"
#include "models/flow_matching.hpp"

namespace popflow::models {

/// Settings of flow matching, shared by fm, cgfm and mfm.
struct FlowMatchingSettings final : Settings {
    FlowMatchingShape shape;  ///< context, fixed encoder and the sizes given by the data are not set
    std::string encoder = learned_encoder;  ///< see parse_encoder()

    std::unique_ptr<Settings> clone() const override { return std::make_unique<FlowMatchingSettings>(*this); }
    void visit(FieldVisitor& visitor) override;
};

/// Flow matching whose velocity depends on no population.
const Family* fm_family();
/// Flow matching conditioned on the index of the training pair.
const Family* cgfm_family();
/// Meta Flow Matching: conditioned on an embedding of the control population.
const Family* mfm_family();

}  // namespace popflow::models
