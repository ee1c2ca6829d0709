// SPDX-License-Identifier: MIT
#include "training_setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "core/memory.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "mpi/same_on_all_ranks.hpp"
#include "options/defaults.hpp"
#include "same_data.hpp"
#include "train/latent_fit.hpp"
#include "train/median_total.hpp"

namespace popflow::apps {

train::TrainingRunOptions files_and_cadence(const options::RunConfig& config) {
    return {.folder = config.output,
            .data_file = config.data,
            .checkpoint_every = config.checkpoint_every,
            .checkpoint_minutes = config.checkpoint_minutes,
            .keep_checkpoints = config.keep_checkpoints,
            .log_every = config.log_every,
            .stop_after = config.stop_after,
            .resume = config.resume};
}

linalg::Precision precision_of(const options::RunConfig& config) {
    return config.precision == options::PrecisionChoice::bf16 ? linalg::Precision::bf16
                                                              : linalg::Precision::fp32;
}

void write_config(const std::string& folder, const std::string& text) {
    core::store_file(folder + "/config.cfg", std::as_bytes(std::span(text)));
}

screen::Screen open_training_screen(const options::RunConfig& config, const options::OptionTable& table,
                                    const mpi::Communicator& comm) {
    if (comm.size() > 1)
        mpi::check_same_on_all_ranks(comm, "configuration", table.text(options::training_sections()));
    return open_same_screen(comm, config.data,
                            [&] { return screen::open_screen(config.data, config.screen); });
}

screen::TreatmentVectors read_treatment_vectors(const options::RunConfig& config,
                                                const mpi::Communicator& comm) {
    if (config.treatment_vectors.empty()) return {};
    if (comm.size() > 1)
        mpi::check_same_on_all_ranks(comm, "file " + config.treatment_vectors,
                                     file_sample(config.treatment_vectors));
    return screen::TreatmentVectors::read(config.treatment_vectors);
}

train::CellStorage cell_storage(const options::RunConfig& config, const mpi::Communicator& comm) {
    if (config.cache == "memory") return {};
    if (config.cache != "auto") {
        if (!std::filesystem::is_directory(config.cache))
            throw core::ConfigError(
                "cache",
                "found '" + config.cache + "', which is no folder. Give auto, memory or an existing folder");
        return {.folder = config.cache, .max_in_memory = 0};
    }
    const auto ranks = static_cast<std::uint64_t>(comm.ranks_on_host());
    const auto available = core::available_memory();
    if (!available) return {};
    const char* folder = std::getenv("TMPDIR");
    return {.folder = folder != nullptr && *folder != '\0' ? folder : "/tmp",
            .max_in_memory = *available / 2 / ranks};
}

const screen::Screen& with_size_factor(screen::Screen& screen, const screen::Split& split,
                                       options::RunConfig& config, bool reads_cells,
                                       const mpi::Communicator& comm) {
    screen::SizeFactor& size_factor = config.screen.size_factor;
    if (reads_cells && size_factor.is_set() && !size_factor.has_target())
        size_factor.target = train::median_total(screen, split, comm);
    screen.options.size_factor = size_factor;
    return screen;
}

namespace {

// Limits --batch-pairs to the number of training pairs, with a note if it was given.
void limit_batch(options::RunConfig& config, const options::OptionTable& table, std::size_t pairs,
                 std::vector<std::string>& notes) {
    if (config.train.batch_pairs <= pairs) return;
    if (table.is_given("batch-pairs"))
        notes.push_back("--batch-pairs " + std::to_string(config.train.batch_pairs) + " is more than the " +
                        core::counted(pairs, "training pair") + ": " + std::to_string(pairs) + " is used");
    config.train.batch_pairs = pairs;
}

// Returns a note about the defaults of a small screen, empty if there are none.
std::string screen_defaults_note(const models::OptionValues& values) {
    std::string options;
    for (const auto& [option, value] : values) options += " --" + option + " " + value;
    if (options.empty()) return options;
    return fmt::format("the screen has fewer than {} pairs, so these are the defaults:{}",
                       models::small_screen_pairs, options);
}

// Checks the number of components against the markers and the training cells.
void check_latent(const options::RunConfig& config, const screen::Screen& screen,
                  const screen::Split& split) {
    if (config.latent == 0) return;
    std::set<std::size_t> populations;
    for (const std::size_t p : split.pairs(screen::Part::train))
        populations.insert({screen.pairs[p].control, screen.pairs[p].treated});
    std::size_t cells = 0;
    for (const std::size_t p : populations) cells += screen.populations[p].n_cells;
    train::check_latent_size(config.latent, screen.markers.size(), cells);
}

}  // namespace

std::vector<std::string> fit_config_to_data(options::RunConfig& config, const options::OptionTable& table,
                                            const screen::Screen& screen, const screen::Split& split) {
    std::vector<std::string> notes;
    if (std::string note =
            screen_defaults_note(options::apply_screen_defaults(config, table, screen.pairs.size()));
        !note.empty())
        notes.push_back(std::move(note));
    limit_batch(config, table, split.pairs(screen::Part::train).size(), notes);
    const train::PairSampling& sampling = config.sampling;
    check_latent(config, screen, split);
    const std::size_t markers = config.latent > 0 ? config.latent : screen.markers.size();
    const bool has_base = models::uses_setting(config.method->name(), "base");
    if (train::draws_rows(sampling.coupling) && has_base &&
        models::field_text(config.method_settings(), "base") == "gaussian") {
        throw core::ConfigError(
            "coupling",
            "rows and rows-ot need --base source: with base gaussian the noise has no rows in "
            "the file. Use --coupling random or ot");
    }
    train::check_augmentation(sampling.augmentation, markers, train::draws_rows(sampling.coupling),
                              config.method->indexes_pairs() ? config.method->name() : "");
    std::size_t cells = sampling.cells;
    for (const std::size_t p : split.pairs(screen::Part::train)) {
        const screen::PopulationPair& pair = screen.pairs[p];
        for (const std::size_t population : {pair.control, pair.treated})
            cells = std::min(cells, screen.populations[population].n_cells);
    }
    const auto is_given = [&](const std::string& option) { return table.is_given(option); };
    for (std::string& note :
         config.method->adapt(config.method_settings(), {.markers = markers}, cells, is_given))
        notes.push_back(std::move(note));
    config.method->check(config.method_settings(), {.markers = markers}, cells);
    if (models::uses_setting(config.method->name(), "condition") &&
        models::field_text(config.method_settings(), "condition") == "none" && screen.treatments.size() > 1)
        notes.push_back(config.method->name() + " with --condition none learns one map for all " +
                        core::counted(screen.treatments.size(), "treatment") +
                        ". --condition treatment tells them apart");
    return notes;
}

}  // namespace popflow::apps
