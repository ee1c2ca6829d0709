// SPDX-License-Identifier: MIT
#include "train/one_pass.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "screen/cell_store.hpp"

namespace popflow::train {

OnePassResult train_in_one_pass(const models::OnePassTraining& model, std::span<const PairLane> lanes,
                                std::size_t n_weights, const mpi::Communicator& communicator) {
    std::vector<const TrainingPair*> pairs;
    std::int64_t counts[] = {0, 0};  // pairs and control cells
    for (const PairLane& lane : lanes) {
        for (const TrainingPair& pair : lane.pairs) {
            pairs.push_back(&pair);
            counts[1] += static_cast<std::int64_t>(pair.control.x.rows);
        }
    }
    counts[0] = std::ssize(pairs);
    communicator.sum(std::span<std::int64_t>(counts));

    linalg::Matrix<double> summaries(static_cast<std::size_t>(counts[0]), model.summary_size());
    core::parallel_for(pairs.size(), [&](std::size_t k) {
        const TrainingPair& pair = *pairs[k];
        model.summarise({.control = pair.control.x,
                         .treated = pair.treated.x,
                         .control_type = pair.control.cell_type,
                         .condition = pair.condition,
                         .condition_row = pair.condition_row,
                         .unit = pair.unit},
                        summaries.view().row_span(pair.index));
        screen::evict(pair.control);
        screen::evict(pair.treated);
    });
    // Each row is non-zero only on the rank of its pair, so the sum is exact.
    communicator.sum(summaries.values());

    OnePassResult result{.values = linalg::AlignedVector<float>(n_weights, 0.0F),
                         .cells = static_cast<std::uint64_t>(counts[1])};
    result.loss = model.fit(summaries, result.values);
    if (!std::ranges::all_of(result.values, [](float w) { return std::isfinite(w); }))
        throw core::NumericalError("training", "a weight is not finite");
    return result;
}

}  // namespace popflow::train
