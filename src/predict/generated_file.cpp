// SPDX-License-Identifier: MIT
#include "predict/generated_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "anndata/anndata_write.hpp"
#include "anndata/row_writer.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "h5/dataframe.hpp"
#include "h5/file.hpp"
#include "mpi/run_collectively.hpp"

namespace popflow::predict {

namespace {

using linalg::Matrix;

// Maximum number of values that a rank generates at a time, unless one population has more.
constexpr std::size_t group_values = std::size_t{1} << 24U;

// Number of populations, states and rows of a file.
struct Layout {
    Layout(const GeneratorModel& generator, const GeneratedPlan& plan)
        : per_condition(plan.options.populations),
          populations(plan.conditions.size() * per_condition),
          times(plan.options.times.size()) {
        for (std::size_t p = 0; p < populations; ++p) {
            const std::size_t own = generated_cells(generator, plan.conditions[p / per_condition],
                                                    plan.options, p % per_condition);
            cells.push_back(own);
            first_row.push_back(first_row.back() + times * own);
        }
    }

    std::size_t per_condition;
    std::size_t populations;
    std::size_t times;
    std::vector<std::size_t> cells;         ///< number of cells of each population
    std::vector<std::size_t> first_row{0};  ///< one for each population, and the number of rows

    std::size_t states() const { return populations * times; }
    std::size_t rows() const { return first_row.back(); }
};

std::string condition_label(const screen::Population& condition) {
    return screen::condition_name(condition.treatment, condition.concentration);
}

std::string generated_name(const GeneratedPlan& plan, std::size_t population) {
    const std::size_t condition = population / plan.options.populations;
    const std::size_t k = population % plan.options.populations;
    if (!plan.names.empty() && plan.options.populations == 1) return plan.names[condition];
    return fmt::format(
        "{} / {}", plan.names.empty() ? condition_label(plan.conditions[condition]) : plan.names[condition],
        k + 1);
}

bool has_concentrations(const GeneratedPlan& plan) {
    return std::ranges::any_of(plan.conditions,
                               [](const screen::Population& c) { return !c.concentration.empty(); });
}

// Labels of a state in the columns of obs.
struct StateLabels {
    std::string population;
    std::string treatment;
    std::string concentration;
    std::string time;
};

StateLabels labels_of(const GeneratedPlan& plan, std::size_t population, std::size_t time) {
    const screen::Population& condition = plan.conditions[population / plan.options.populations];
    return {generated_name(plan, population), condition.treatment, condition.concentration,
            core::number_label(plan.options.times[time])};
}

// Name and value of each column of obs.
std::vector<std::pair<const char*, std::string StateLabels::*>> obs_columns(const GeneratedPlan& plan) {
    std::vector<std::pair<const char*, std::string StateLabels::*>> columns{
        {"population", &StateLabels::population}, {"treatment", &StateLabels::treatment}};
    if (has_concentrations(plan)) columns.emplace_back("concentration", &StateLabels::concentration);
    if (plan.options.times.size() > 1) columns.emplace_back("time", &StateLabels::time);
    return columns;
}

h5::DataFrame state_table(const GeneratedPlan& plan, const Layout& layout) {
    h5::DataFrame table;
    h5::DataFrame::Doubles times;
    for (const auto& [name, member] : obs_columns(plan)) {
        if (member == &StateLabels::time) continue;
        h5::DataFrame::Strings values;
        for (std::size_t s = 0; s < layout.states(); ++s)
            values.push_back(labels_of(plan, s / layout.times, s % layout.times).*member);
        table.add_categorical(name, std::move(values));
    }
    for (std::size_t s = 0; s < layout.states(); ++s) times.push_back(plan.options.times[s % layout.times]);
    table.add("time", std::move(times));
    return table;
}

void create_obs(h5::Group& root, const GeneratedPlan& plan, const Layout& layout) {
    h5::Group obs = root.create_group("obs");
    h5::write_encoding(obs, "dataframe", "0.2.0");
    std::vector<std::string> order;
    for (const auto& [name, member] : obs_columns(plan)) {
        std::set<std::string> categories;
        for (std::size_t s = 0; s < layout.states(); ++s)
            categories.insert(labels_of(plan, s / layout.times, s % layout.times).*member);
        categories.erase("");
        order.emplace_back(name);
        anndata::create_categorical(obs, name, {categories.begin(), categories.end()}, layout.rows());
    }
    obs.write_attribute("column-order", order);
    obs.write_attribute("_index", "_index");
    anndata::create_row_names(obs, layout.rows());
}

// Space of the means and covariances: the transform is not linear, so that raw values have none.
const char* moments_space(const GeneratorModel& generator, const GeneratedPlan& plan) {
    if (!generator.checkpoint().latent.is_empty()) return "latent";
    return plan.space == Space::normalised ? "normalised" : "transformed";
}

bool has_gaussians(const GeneratorModel& generator) {
    return generator.sampler().generates_gaussians();
}

void write_uns(h5::Group& root, const GeneratorModel& generator, const GeneratedPlan& plan,
               const Layout& layout, const Provenance& provenance) {
    h5::Group uns = anndata::create_dict(root, "uns");
    h5::Group group = anndata::create_dict(uns, "popflow");
    anndata::write_string(group, "version", core::version());
    anndata::write_string(group, "commit", core::commit());
    anndata::write_string(group, "config", provenance.config);
    anndata::write_string(group, "method", provenance.method);
    anndata::write_string(group, "data_fingerprint", provenance.data_fingerprint);
    anndata::write_scalar<std::uint64_t>(group, "seed", provenance.seed);
    anndata::write_scalar<std::uint64_t>(group, "steps", provenance.steps);
    anndata::write_string(group, "space", space_name(plan.space, plan.transform));
    anndata::write_string(group, "transform", plan.transform.text());
    anndata::write_scalar<double>(group, "guidance", plan.options.guidance);
    anndata::write_array(group, "times", std::span<const double>(plan.options.times),
                         {plan.options.times.size()});
    h5::write_dataframe(group, "populations", state_table(plan, layout));
    if (!has_gaussians(generator)) return;
    const std::size_t d = generator.checkpoint().data.markers;
    h5::Dataset means = group.create_contiguous("means", h5::Element::float32, {layout.states(), d});
    h5::write_encoding(means, "array", "0.2.0");
    h5::Dataset covariances =
        group.create_contiguous("covariances", h5::Element::float32, {layout.states(), d, d});
    h5::write_encoding(covariances, "array", "0.2.0");
    anndata::write_string(group, "moments_space", moments_space(generator, plan));
}

void create_contents(h5::Group root, const GeneratorModel& generator, const GeneratedPlan& plan,
                     const Layout& layout, const Provenance& provenance) {
    const std::vector<std::string>& markers = generator.checkpoint().markers;
    h5::write_encoding(root, "anndata", "0.1.0");
    h5::Dataset x = root.create_contiguous("X", h5::Element::float32, {layout.rows(), markers.size()});
    h5::write_encoding(x, "array", "0.2.0");
    create_obs(root, plan, layout);
    h5::DataFrame var;
    var.set_row_names(markers);
    h5::write_dataframe(root, "var", var);
    anndata::write_empty_groups(root);
    write_uns(root, generator, plan, layout, provenance);
}

// Locations in the file that is being written.
struct FileOffsets {
    FileOffsets(const std::string& file, const GeneratedPlan& plan, bool has_gaussians) {
        const h5::Group root = h5::open_file(file);
        x = anndata::find_chunks(root.open_dataset("X"));
        index = root.open_dataset("obs/_index").file_offset();
        for (const auto& [name, member] : obs_columns(plan))
            columns.emplace_back(anndata::find_codes(root, name), member);
        if (!has_gaussians) return;
        means = root.open_dataset("uns/popflow/means").file_offset();
        covariances = root.open_dataset("uns/popflow/covariances").file_offset();
    }
    anndata::RowChunks x;
    std::uint64_t index = 0;
    std::vector<std::pair<anndata::CodeColumn, std::string StateLabels::*>> columns;
    std::uint64_t means = 0;
    std::uint64_t covariances = 0;
};

// Returns generated cells in the space of the file.
Matrix<float> written_cells(const GeneratorModel& generator, const GeneratedPlan& plan,
                            const Matrix<float>& cells) {
    const train::Checkpoint& checkpoint = generator.checkpoint();
    Matrix<float> x = checkpoint.latent.is_empty() ? cells : checkpoint.latent.decode(cells.view());
    to_space(plan.space, checkpoint.normalisation, plan.transform, x.view());
    return x;
}

// Generates populations of these sizes under a condition, or completes its population as often.
// @param first  index of the first one among those of the condition
std::vector<models::GeneratedPopulation> generated_of(const GeneratorModel& generator,
                                                      const GeneratedPlan& plan, std::size_t condition,
                                                      std::size_t first, std::span<const std::size_t> sizes) {
    GenerateOptions options = plan.options;
    options.sizes.assign(sizes.begin(), sizes.end());
    if (!plan.given) return generate(generator, plan.conditions[condition], options, first, sizes.size());
    return complete(generator, plan.given(condition), options, first, sizes.size());
}

// Writes the populations [first, end) of one rank.
void write_populations(const GeneratorModel& generator, const GeneratedPlan& plan, const Layout& layout,
                       std::size_t first, std::size_t end) {
    const std::string file = core::temporary_name(plan.path);
    const FileOffsets offsets(file, plan, has_gaussians(generator));
    anndata::RowWriter writer(file, plan.path);
    const std::size_t values =
        layout.times * std::ranges::max(layout.cells) * generator.checkpoint().markers.size();
    const std::size_t group = std::max<std::size_t>(1, group_values / std::max<std::size_t>(1, values));
    const std::size_t name_length = anndata::row_name_length(layout.rows());
    const screen::Normalisation& normalisation = generator.checkpoint().normalisation;
    const std::size_t d = generator.checkpoint().data.markers;
    while (first < end) {
        // A group has one condition.
        const std::size_t condition = first / layout.per_condition;
        const std::size_t count =
            std::min({group, end - first, (condition + 1) * layout.per_condition - first});
        const std::vector<models::GeneratedPopulation> generated =
            generated_of(generator, plan, condition, first % layout.per_condition,
                         std::span(layout.cells).subspan(first, count));
        for (std::size_t k = 0; k < count; ++k) {
            for (std::size_t t = 0; t < layout.times; ++t) {
                const std::size_t state = (first + k) * layout.times + t;
                const std::size_t cells = layout.cells[first + k];
                const std::size_t row = layout.first_row[first + k] + t * cells;
                anndata::write_matrix_rows(writer, offsets.x,
                                           written_cells(generator, plan, generated[k].cells[t]), row);
                anndata::write_row_names(writer, offsets.index, name_length, row, cells);
                const StateLabels labels = labels_of(plan, first + k, t);
                for (const auto& [column, member] : offsets.columns)
                    anndata::write_codes(writer, column, labels.*member, row, cells);
                if (!has_gaussians(generator)) continue;
                const auto write_row = [&](std::span<const float> row_values, std::uint64_t offset) {
                    writer.write(row_values.data(), row_values.size_bytes(),
                                 offset + state * row_values.size_bytes());
                };
                std::vector<float> mean(generated[k].mean.view().row(t), generated[k].mean.view().row(t) + d);
                std::vector<float> covariance(generated[k].covariance.view().row(t),
                                              generated[k].covariance.view().row(t) + d * d);
                if (moments_space(generator, plan) == std::string("transformed")) {
                    normalisation.invert({mean.data(), 1, d});
                    for (float& value : covariance) value *= normalisation.scale * normalisation.scale;
                }
                write_row(mean, offsets.means);
                write_row(covariance, offsets.covariances);
            }
        }
        first += count;
    }
    writer.sync();
}

}  // namespace

std::size_t write_generated(const GeneratorModel& generator, const GeneratedPlan& plan,
                            const Provenance& provenance, const mpi::Communicator& comm) {
    const Layout layout(generator, plan);
    std::unique_ptr<h5::AtomicFile> file;
    mpi::run_collectively(comm, [&] {
        if (!comm.is_root()) return;
        file = std::make_unique<h5::AtomicFile>(plan.path);
        create_contents(file->root(), generator, plan, layout, provenance);
        file->close();
    });
    mpi::run_collectively(comm, [&] {
        const auto ranks = static_cast<std::size_t>(comm.size());
        const auto rank = static_cast<std::size_t>(comm.rank());
        const std::size_t first = layout.populations * rank / ranks;
        const std::size_t end = layout.populations * (rank + 1) / ranks;
        if (first < end) write_populations(generator, plan, layout, first, end);
    });
    mpi::run_collectively(comm, [&] {
        if (comm.is_root()) file->commit();
    });
    return layout.rows();
}

}  // namespace popflow::predict
