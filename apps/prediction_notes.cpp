// SPDX-License-Identifier: MIT
#include "prediction_notes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "console.hpp"
#include "core/parse.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "models/start_map.hpp"
#include "mpi/run_collectively.hpp"
#include "screen/value_notes.hpp"

namespace popflow::apps {

void print_note(const std::string& text) {
    print_message("note: %s", core::printable(text).c_str());
}

void print_data_notes(const screen::Screen& screen, const mpi::Communicator& comm) {
    mpi::run_collectively(comm, [&] {
        if (!comm.is_root()) return;
        std::ranges::for_each(screen::reading_notes(screen), print_note);
        std::ranges::for_each(screen::value_notes(screen), print_note);
    });
}

std::string unfinished_note(const train::Checkpoint& checkpoint) {
    if (checkpoint.model()->gradient_training() == nullptr) return "";
    auto config = core::key_values(checkpoint.config);
    const std::uint64_t steps = core::parse_count("steps", config["steps"], 0, ~std::uint64_t{0});
    // A training with patience may end before its last step.
    if (checkpoint.adam.step >= steps || (config.contains("patience") && config["patience"] != "0"))
        return "";
    return fmt::format("the training has done {} of {} steps. popflow train --resume continues it",
                       checkpoint.adam.step, steps);
}

void print_unfinished(const train::Checkpoint& checkpoint, const mpi::Communicator& comm) {
    const std::string note = unfinished_note(checkpoint);
    if (comm.is_root() && !note.empty()) print_note(note);
}

void print_left_out(const predict::PredictionFile& file) {
    for (const std::string& line : file.left_out()) print_note("left out of the predictions: " + line);
}

void print_outside(const predict::PredictionFile& file, const std::vector<std::string>& markers,
                   std::size_t cells) {
    const screen::OutsideCounts& outside = file.outside();
    if (outside.cells == 0) return;
    const auto most = std::ranges::max_element(outside.by_marker) - outside.by_marker.begin();
    print_note(fmt::format(
        "{} of {} have a marker outside the range of the training cells, most of them {} ({}). {}",
        outside.cells, core::counted(cells, "predicted cell"), markers[static_cast<std::size_t>(most)],
        core::counted(outside.by_marker[static_cast<std::size_t>(most)], "cell"),
        file.plan().clip ? "They are clipped to it" : "predict --clip limits them to it"));
}

void print_far(const std::vector<std::string>& names, const std::vector<double>& distances) {
    std::vector<std::string> far;
    for (std::size_t k = 0; k < names.size(); ++k) {
        const std::string text = fmt::format("{} ({:.1f})", names[k], distances[k]);
        if (distances[k] > models::far_distance && std::ranges::find(far, text) == far.end())
            far.push_back(text);
    }
    if (far.empty()) return;
    print_note(fmt::format(
        "{} far from the training populations, more than {:g} times the typical distance between these: {}. "
        "Their predictions extrapolate. --guard shrinks them towards the start",
        far.size() == 1 ? "a control population is" : std::to_string(far.size()) + " control populations are",
        models::far_distance, core::joined(far, 8)));
}

}  // namespace popflow::apps
