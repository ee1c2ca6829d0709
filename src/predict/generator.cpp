// SPDX-License-Identifier: MIT
#include "predict/generator.hpp"

#include "core/error.hpp"
#include "core/random.hpp"
#include "screen/screen.hpp"
#include "screen/screen_draft.hpp"

namespace popflow::predict {

GeneratorModel::GeneratorModel(train::Checkpoint checkpoint)
    : checkpoint_(std::make_unique<const train::Checkpoint>(std::move(checkpoint))),
      model_(checkpoint_->model()),
      sampler_(model_->population_sampler()) {
    if (sampler_ == nullptr)
        throw core::ConfigError("run", "'" + checkpoint_->family->name() +
                                           "' is a method that does not generate populations. Give a run of "
                                           "--method bwfm --source noise");
}

std::vector<models::GeneratedPopulation> generate(const GeneratorModel& generator,
                                                  const screen::Population& condition,
                                                  const GenerateOptions& options, std::size_t first,
                                                  std::size_t count) {
    const train::Checkpoint& checkpoint = generator.checkpoint();
    const std::vector<float> code = checkpoint.conditions.encode(condition);
    const std::uint64_t name =
        screen::digest_text(0, screen::condition_name(condition.treatment, condition.concentration));
    std::vector<core::Stream> streams;
    for (std::size_t k = first; k < first + count; ++k)
        streams.emplace_back(options.seed, core::Purpose::generation, name, k);
    models::GenerateRequest request{
        .condition = code,
        .guidance = options.guidance,
        .cells = options.cells,
        .times = options.times,
        .solver = {.relative_tolerance = options.tolerance, .absolute_tolerance = options.tolerance},
        .euler_steps = options.euler_steps};
    return generator.sampler().generate(checkpoint.result(), request, streams);
}

}  // namespace popflow::predict
