// SPDX-License-Identifier: MIT
#include "predict/generator.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/random.hpp"
#include "linalg/gather_rows.hpp"
#include "screen/screen.hpp"
#include "screen/screen_draft.hpp"

namespace popflow::predict {

GeneratorModel::GeneratorModel(train::Checkpoint checkpoint)
    : checkpoint_(std::make_unique<const train::Checkpoint>(std::move(checkpoint))),
      model_(checkpoint_->model()),
      sampler_(model_->population_sampler()),
      sizes_(models::PopulationSizes::stored(checkpoint_->constants)) {
    if (sampler_ == nullptr)
        throw core::ConfigError("run", "'" + checkpoint_->family->name() +
                                           "' is a method that does not generate populations. Give a run of "
                                           "--method bwfm or wfm with --source noise");
}

namespace {

// Names of the draws of a completion, apart from those of generated populations.
constexpr std::uint64_t completion_key = 1;
constexpr std::uint64_t given_key = 2;
constexpr std::uint64_t size_key = 3;

std::vector<models::GeneratedPopulation> draw_populations(const GeneratorModel& generator, std::uint64_t key,
                                                          const screen::Population& condition,
                                                          linalg::ConstMatrixView<float> given,
                                                          const GenerateOptions& options, std::size_t first,
                                                          std::size_t count) {
    const train::Checkpoint& checkpoint = generator.checkpoint();
    const std::vector<float> code = checkpoint.conditions.encode(condition);
    std::vector<core::Stream> streams;
    for (std::size_t k = first; k < first + count; ++k)
        streams.emplace_back(options.seed, core::Purpose::generation, key, k);
    std::vector<std::size_t> cells = options.sizes;
    if (cells.empty()) cells.assign(count, options.cells);
    core::check_shape("generate.sizes", cells.size(), 1, count, 1);
    models::GenerateRequest request{.condition = code,
                                    .guidance = options.guidance,
                                    .cells = std::move(cells),
                                    .times = options.times,
                                    .solver = options.solver,
                                    .fixed = options.fixed,
                                    .given = given};
    return generator.sampler().generate(checkpoint.result(), request, streams);
}

}  // namespace

std::vector<models::GeneratedPopulation> generate(const GeneratorModel& generator,
                                                  const screen::Population& condition,
                                                  const GenerateOptions& options, std::size_t first,
                                                  std::size_t count) {
    const std::uint64_t key =
        screen::digest_text(0, screen::condition_name(condition.treatment, condition.concentration));
    return draw_populations(generator, key, condition, {}, options, first, count);
}

std::size_t generated_cells(const GeneratorModel& generator, const screen::Population& condition,
                            const GenerateOptions& options, std::size_t index) {
    if (!options.own_sizes) return options.cells;
    core::Stream stream(
        options.seed, core::Purpose::generation,
        screen::digest_text(size_key, screen::condition_name(condition.treatment, condition.concentration)),
        index);
    return generator.sizes().draw(generator.checkpoint().conditions.encode(condition), stream);
}

std::vector<models::GeneratedPopulation> complete(const GeneratorModel& generator,
                                                  const PopulationToComplete& population,
                                                  const GenerateOptions& options, std::size_t first,
                                                  std::size_t count) {
    return draw_populations(generator, screen::digest_text(completion_key, population.name),
                            population.condition, population.given.view(), options, first, count);
}

linalg::Matrix<float> draw_given(const GeneratorModel& generator, const std::string& name,
                                 linalg::ConstMatrixView<float> cells, std::uint64_t seed) {
    const std::size_t count = generator.sampler().given_cells();
    core::check_shape("given cells", std::min(cells.rows, count), cells.cols, count, cells.cols);
    core::Stream stream(seed, core::Purpose::generation, screen::digest_text(given_key, name));
    linalg::Matrix<float> given;
    linalg::gather_rows(cells, stream.sample(cells.rows, count), given);
    return given;
}

}  // namespace popflow::predict
