// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "models/family.hpp"
#include "nn/set_transformer.hpp"

namespace popflow::models {

/// Settings of the methods of Wasserstein flow matching.
struct PopulationFlowSettings final : Settings {
    std::string source = "noise";  ///< noise, control, or subset:N
    PopulationDraws draws{.outer = OuterCoupling::automatic};
    std::size_t gaussian_hidden = 256;  ///< see GaussianFlowShape
    std::size_t gaussian_layers = 5;
    std::size_t width = 128;  ///< see SetFlowShape
    std::size_t blocks = 4;
    std::size_t heads = 4;
    nn::CloudInputs condition = nn::CloudInputs::added;
    std::size_t frequencies = 0;
    double frequency_scale = 0.5;
    std::size_t part = 1024;

    std::unique_ptr<Settings> clone() const override;
    void visit(FieldVisitor& visitor) override;
};

/// Name of the options of these methods, see Family::settings_name().
inline constexpr const char* population_flow_options = "population-flow";

/// Returns the draws that the settings ask for, with the source and the outer coupling resolved.
/// @param form  that of the method
PopulationDraws resolved_draws(const Settings& settings, PopulationForm form);

/// Checks that source, pairing and outer coupling fit together.
/// @throws core::ConfigError
void check_draws(const PopulationDraws& draws);

}  // namespace popflow::models
