// SPDX-License-Identifier: MIT
#include "eval/evaluator.hpp"

#include <algorithm>

#include "eval/pair_scoring.hpp"
#include "predict/prediction_file.hpp"

namespace popflow::eval {

namespace {

// Scores of every predictor on each pair.
class PairTask : public Task {
  public:
    PairTask(const ScoringJob& job, int rank) : job_(job), rank_(rank) {}

    std::span<const std::size_t> items() const override { return job_.pairs; }
    std::size_t cost(std::size_t item) const override {
        const screen::PopulationPair& pair = job_.screen.pairs[item];
        const std::size_t max_cells = job_.options.max_cells;
        return std::min(max_cells, job_.screen.populations[pair.control].n_cells) *
               std::min(max_cells, job_.screen.populations[pair.treated].n_cells);
    }
    std::vector<TaskRecord> run(std::span<const std::size_t> items) override {
        std::vector<TaskRecord> records;
        for (ScoredPair& pair : score_pairs(job_, items)) {
            TaskRecord& record = records.emplace_back(TaskRecord{.item = pair.pair});
            for (PairScore& row : pair.scores) {
                row.rank = rank_;
                record.is_complete = record.is_complete && row.status == "ok";
            }
            serialise_pair(pair, record.text);
        }
        return records;
    }
    // Records contain no predicted cells. The prediction file needs them, so they are computed again.
    bool repeats_kept_items() const override { return job_.predictions != nullptr; }
    void repeat(std::size_t item) override { predict_again(job_, item); }

  private:
    const ScoringJob& job_;
    int rank_;
};

}  // namespace

metrics::Selection selection(const EvaluateOptions& options) {
    metrics::Selection selection = metrics::select_metrics(options.metrics);
    selection.sinkhorn_options.epsilon = options.sinkhorn_epsilon;
    if (options.sinkhorn_rho > 0) selection.sinkhorn_options.rho = options.sinkhorn_rho;
    return selection;
}

Evaluation evaluate(const screen::Screen& screen, std::span<const std::size_t> pairs,
                    const predict::TrainedModel& trained, const EvaluateOptions& options,
                    const TaskControl& control, predict::PredictionFile* predictions,
                    const mpi::Communicator& comm) {
    const predict::ScreenReader reader(screen, trained);
    const ScoringJob job{screen, pairs, trained, reader, options, predictions};
    PairTask task(job, comm.rank());
    const TaskOutcome outcome = run_task(task, control, comm);
    Evaluation evaluation;
    evaluation.stopped = outcome.stopped;
    std::vector<ScoredPair> all;
    for (const TaskRecord& record : outcome.records) deserialise_pairs(record.text, all);

    evaluation.embeddings =
        linalg::Matrix<float>(all.size(), comm.is_root() ? trained.model.context_size() : 0);
    for (std::size_t i = 0; i < all.size(); ++i) {
        evaluation.pairs.push_back(all[i].pair);
        for (PairScore& row : all[i].scores) evaluation.scores.push_back(std::move(row));
        std::ranges::copy(all[i].embedding, evaluation.embeddings.view().row(i));
        for (CellSample& sample : all[i].samples) {
            sample.name = screen::pair_name(screen, sample.pair);
            evaluation.samples.push_back(std::move(sample));
        }
    }
    return evaluation;
}

std::vector<double> pair_distances(const Evaluation& evaluation) {
    std::map<std::size_t, double> distances;
    for (const PairScore& row : evaluation.scores) distances[row.pair] = row.training_distance;
    std::vector<double> result;
    for (const std::size_t pair : evaluation.pairs) result.push_back(distances[pair]);
    return result;
}

}  // namespace popflow::eval
