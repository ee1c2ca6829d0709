// SPDX-License-Identifier: MIT
#include "eval/training_embeddings.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace popflow::eval {

namespace {

// Embeds the control population of each item, a pair. The record holds the floats of the embedding.
class EmbeddingTask : public Task {
  public:
    EmbeddingTask(const screen::Screen& screen, const std::vector<std::size_t>& pairs,
                  const predict::TrainedModel& trained, const EvaluateOptions& options)
        : screen_(screen), pairs_(pairs), trained_(trained), options_(options), reader_(screen, trained) {}

    std::span<const std::size_t> items() const override { return pairs_; }
    std::size_t cost(std::size_t item) const override {
        return std::min(options_.max_cells, screen_.populations[screen_.pairs[item].control].n_cells);
    }
    std::vector<TaskRecord> run(std::span<const std::size_t> items) override {
        std::vector<TaskRecord> records;
        for (const std::size_t pair : items) {
            TaskRecord& record = records.emplace_back(TaskRecord{.item = pair});
            try {
                const std::vector<float> embedding = embed(pair);
                record.text.assign(reinterpret_cast<const char*>(embedding.data()),
                                   embedding.size() * sizeof(float));
            } catch (const core::NumericalError&) {  // the record remains empty
            }
        }
        return records;
    }

  private:
    std::vector<float> embed(std::size_t pair) const {
        const std::size_t ids[] = {screen_.pairs[pair].control};
        const std::vector<screen::Cells> cells = reader_.read(ids);
        const auto drawn =
            predict::draw_rows(cells[0].x.rows(), options_.max_cells, options_.draw,
                               predict::pair_stream(options_.seed, pair, predict::DrawRole::control));
        return predict::population_context(trained_, predict::take_rows(cells[0], drawn));
    }

    const screen::Screen& screen_;
    const std::vector<std::size_t>& pairs_;
    const predict::TrainedModel& trained_;
    const EvaluateOptions& options_;
    predict::ScreenReader reader_;
};

}  // namespace

std::vector<std::size_t> training_populations(const screen::Screen& screen, const EvaluateOptions& options) {
    std::vector<std::size_t> pairs;
    std::set<std::size_t> controls;
    for (const auto& [pair, index] : options.trained) {
        if (controls.insert(screen.pairs[pair].control).second) pairs.push_back(pair);
    }
    return pairs;
}

TrainingEmbeddings embed_training_populations(const screen::Screen& screen,
                                              const std::vector<std::size_t>& pairs,
                                              const predict::TrainedModel& trained,
                                              const EvaluateOptions& options, const TaskControl& control,
                                              const mpi::Communicator& comm) {
    EmbeddingTask task(screen, pairs, trained, options);
    const TaskOutcome outcome = run_task(task, control, comm);
    TrainingEmbeddings embeddings{.stopped = outcome.stopped};
    const std::size_t size = trained.model.context_size();
    std::vector<const TaskRecord*> complete;
    for (const TaskRecord& record : outcome.records) {
        if (record.text.size() == size * sizeof(float)) complete.push_back(&record);
    }
    embeddings.values = linalg::Matrix<float>(complete.size(), comm.is_root() ? size : 0);
    for (std::size_t i = 0; i < complete.size(); ++i) {
        embeddings.pairs.push_back(complete[i]->item);
        std::memcpy(embeddings.values.view().row(i), complete[i]->text.data(), complete[i]->text.size());
    }
    return embeddings;
}

}  // namespace popflow::eval
