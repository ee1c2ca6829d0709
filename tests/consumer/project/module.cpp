// SPDX-License-Identifier: MIT
// A module whose C functions use popflow.
#include <popflow/popflow.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

// Loads a run and predicts the treated cells of a control population.
//
// Shapes: control and treated [cells, markers], labels [cells].
// Returns 0, or 1 with a message of at most `message_bytes` bytes.
extern "C" int predict_cells(const char* run, const float* control, std::size_t cells, std::size_t markers,
                             const char* const* labels, const char* treatment, float* treated, char* message,
                             std::size_t message_bytes) {
    try {
        const popflow::Model model = popflow::Model::load(run);
        const popflow::Cells predicted = model.predict(
            {control, cells, markers},
            {.treatment = treatment, .cell_types = std::vector<std::string>(labels, labels + cells)});
        for (std::size_t i = 0; i < predicted.values.size(); ++i) treated[i] = predicted.values[i];
        return 0;
    } catch (const std::exception& error) {
        std::snprintf(message, message_bytes, "%s", error.what());
        return 1;
    }
}
