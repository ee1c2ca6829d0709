// SPDX-License-Identifier: MIT
#include "training_setup.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "core/memory.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "same_on_all_ranks.hpp"

namespace popflow::apps {

namespace {

// Whether two vectors are equal up to rounding, which may differ between processors.
bool nearly_equal(std::span<const float> a, std::span<const float> b) {
    return std::ranges::equal(a, b,
                              [](float x, float y) { return std::abs(x - y) <= 1e-4F * (1 + std::abs(x)); });
}

}  // namespace

void write_config(const std::string& folder, const options::OptionTable& table) {
    const std::string text = table.text(options::training_sections()) +
                             table.text({options::Section::transport, options::Section::evaluate});
    core::store_file(folder + "/config.cfg", std::as_bytes(std::span(text)));
}

screen::Screen open_training_screen(const options::RunConfig& config, const options::OptionTable& table,
                                    const mpi::Communicator& comm) {
    if (comm.size() > 1)
        check_same_on_all_ranks(comm, "configuration", table.text(options::training_sections()));
    return open_same_screen(comm, config.data,
                            [&] { return screen::open_screen(config.data, config.screen); });
}

screen::TreatmentVectors read_treatment_vectors(const options::RunConfig& config,
                                                const mpi::Communicator& comm) {
    if (!config.treatment_vectors.empty()) {
        if (comm.size() > 1)
            check_same_on_all_ranks(comm, "file " + config.treatment_vectors,
                                    file_sample(config.treatment_vectors));
        return screen::TreatmentVectors::read(config.treatment_vectors);
    }
    if (!screen::splits_by_treatment(config.split)) return {};
    throw core::ConfigError("split", "found " + config.split +
                                         ", which needs --treatment-vectors: a held-out treatment has no "
                                         "one-hot code");
}

train::CellStorage cell_storage(const options::RunConfig& config, const mpi::Communicator& comm) {
    if (config.cache == "memory") return {};
    if (config.cache != "auto") {
        if (!std::filesystem::is_directory(config.cache))
            throw core::ConfigError("cache",
                                    "found '" + config.cache + "', allowed auto, memory or a folder");
        return {.folder = config.cache, .max_in_memory = 0};
    }
    const auto ranks = static_cast<std::uint64_t>(comm.ranks_on_host());
    const auto available = core::available_memory();
    if (!available) return {};
    const char* folder = std::getenv("TMPDIR");
    return {.folder = folder != nullptr && *folder != '\0' ? folder : "/tmp",
            .max_in_memory = *available / 2 / ranks};
}

void check_config_fits_data(const options::RunConfig& config, const screen::Screen& screen,
                            const screen::Split& split) {
    const std::size_t markers = screen.markers.size();
    train::check_augmentation(config.train.augmentation, markers, train::draws_rows(config.train.coupling),
                              config.model.context);
    if (config.method == models::Method::icnn && config.icnn.start == models::IcnnStart::identity &&
        config.icnn.hidden < markers) {
        throw core::ConfigError("icnn-hidden", "found " + std::to_string(config.icnn.hidden) + ", allowed " +
                                                   std::to_string(markers) +
                                                   " or more: --icnn-start identity needs at least as many "
                                                   "hidden units as markers");
    }
    std::size_t cells = config.train.cells;
    for (const std::size_t p : split.pairs(screen::Part::train)) {
        const screen::PopulationPair& pair = screen.pairs[p];
        for (const std::size_t population : {pair.control, pair.treated})
            cells = std::min(cells, screen.populations[population].n_cells);
    }
    if (config.model.context == models::Context::population && config.model.encoder.knn >= cells) {
        throw core::ConfigError("knn", "found " + std::to_string(config.model.encoder.knn) +
                                           ", allowed 0 to " + std::to_string(cells - 1) +
                                           ": the smallest slot has " + std::to_string(cells) + " cells");
    }
}

models::FlowMatchingShape model_shape(const options::RunConfig& config, const screen::Screen& screen,
                                      const train::TrainingSet& set) {
    models::FlowMatchingShape shape = config.model;
    shape.markers = screen.markers.size();
    shape.precision = config.precision == options::PrecisionChoice::bf16 ? linalg::Precision::bf16
                                                                         : linalg::Precision::fp32;
    shape.cell_types = screen.cell_types.size() > 1 ? screen.cell_types.size() : 0;
    shape.conditions = set.conditions().size();
    shape.training_pairs = set.pairs().size();
    return shape;
}

models::IcnnTransportShape icnn_shape(const options::RunConfig& config,
                                      const models::FlowMatchingShape& data) {
    models::IcnnTransportShape shape = config.icnn;
    shape.markers = data.markers;
    shape.conditions = config.condition == options::PotentialInput::treatment ? data.conditions : 0;
    return shape;
}

void check_unchanged(const options::RunConfig& config, core::OptionEffects effects,
                     const train::Checkpoint& now, const train::Checkpoint& before) {
    // With a constant rate and constant augmentation the number of steps does not change the steps already
    // done.
    const bool any_length = config.train.schedule == train::Schedule::constant &&
                            (config.train.augment_until == 1 || !config.train.augmentation.any());
    if (any_length) effects["steps"].affects = core::Affects::nothing;
    const auto changed = options::differences(now.config, before.config, effects);
    if (!changed.empty()) {
        throw core::ConfigError("resume",
                                "the configuration changed: " + core::joined(changed, changed.size()));
    }
    if (before.data_fingerprint != now.data_fingerprint)
        throw core::DataError(config.data, "", "is not the file that this run was trained on");
    const screen::TreatmentVectors& vectors = now.conditions.vectors();
    const screen::TreatmentVectors& vectors_before = before.conditions.vectors();
    if (vectors.names() != vectors_before.names() ||
        !std::ranges::equal(vectors.values().values(), vectors_before.values().values())) {
        throw core::ConfigError("treatment-vectors",
                                "found other vectors than those that this run was trained on");
    }
    if (before.markers != now.markers || before.cell_types != now.cell_types ||
        !nearly_equal(before.normalisation.mean, now.normalisation.mean) ||
        !nearly_equal(before.mean_shifts.values(), now.mean_shifts.values())) {
        throw core::DataError(config.data, "X", "found other cells than those that this run was trained on");
    }
}

}  // namespace popflow::apps
