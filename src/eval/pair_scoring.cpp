// SPDX-License-Identifier: MIT
#include "eval/pair_scoring.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>

#include "eval/pair_predictions.hpp"
#include "predict/prediction_file.hpp"

namespace popflow::eval {

namespace {

// Work of one predictor on one pair: first the prediction, then its scores.
struct PredictorRun {
    const Predictor* predictor;
    PairScore row;
    CellComparison comparison;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Runs a part of a task and adds its run time. A core::Error sets the status and message of the row.
template <class Work>
void record(PairScore& row, Work work) {
    if (row.status != "ok") return;
    const auto start = std::chrono::steady_clock::now();
    try {
        work();
    } catch (const core::Error& error) {
        row.status = "failed";
        row.message = error.what();
    } catch (const std::bad_alloc&) {
        row.status = "failed";
        row.message = "out of memory";
    }
    row.seconds += seconds_since(start);
}

// Returns the index of the prediction of a pair in the prediction file.
std::size_t prediction_index(const ScoringJob& job, std::size_t pair) {
    return static_cast<std::size_t>(std::ranges::lower_bound(job.pairs, pair) - job.pairs.begin());
}

// Intermediate states of the flow of a sampled pair, empty for other pairs.
struct SampledFlow {
    SampledFlow(const ScoringJob& job, std::size_t pair, std::size_t cells)
        : is_sampled(std::ranges::find(job.options.sampled, pair) != job.options.sampled.end()) {
        if (!is_sampled) return;
        const screen::LatentSpace* latent = job.trained.latent;
        const std::size_t markers = latent != nullptr ? latent->size() : job.screen.markers.size();
        snapshots.times = sample_times(markers, job.trained.model.base() == models::Base::gaussian);
        for (std::size_t t = 0; t < snapshots.times.size(); ++t) x.emplace_back(cells, markers);
        for (linalg::Matrix<float>& states : x) snapshots.x.push_back(states.view());
    }

    bool is_sampled;
    std::vector<linalg::Matrix<float>> x;
    ode::Snapshots<float> snapshots;
};

// Returns the predictors of a run, the model first. A run of an earlier version has no moment map.
std::vector<const Predictor*> predictors_of(const predict::TrainedModel& trained) {
    std::vector<const Predictor*> all;
    for (const Predictor& predictor : predictors()) {
        if (predictor.kind != PredictionKind::moments || trained.moment_map != nullptr)
            all.push_back(&predictor);
    }
    return all;
}

// A pair that is scored. The predictions are empty if it cannot be read.
struct PairToScore {
    std::optional<PairPredictions> predictions;
    std::vector<double> control_means;  ///< means of the control
};

// Reads a pair and computes the predictions of all predictors. The transport of the model is parallel inside.
void predict(const ScoringJob& job, ScoredPair& pair, std::vector<PredictorRun>& tasks, PairToScore& work) {
    const std::size_t first = tasks.size();
    for (const Predictor* predictor : predictors_of(job.trained))
        tasks.push_back({predictor, {.pair = pair.pair, .predictor = predictor->name}, {}});
    std::optional<PairPredictions>& predictions = work.predictions;
    record(tasks[first].row,
           [&] { predictions.emplace(job.screen, pair.pair, job.trained, job.reader, job.options); });
    if (!predictions) {
        for (std::size_t i = first; i < tasks.size(); ++i) {
            tasks[i].row.status = tasks[first].row.status;
            tasks[i].row.message = tasks[first].row.message;
        }
        return;
    }
    work.control_means = predictions->control_means();
    const double distance = predictions->training_distance();
    for (std::size_t i = first; i < tasks.size(); ++i) tasks[i].row.training_distance = distance;
    SampledFlow sampled(job, pair.pair, predictions->cells());
    for (std::size_t i = first; i < tasks.size(); ++i) {
        record(tasks[i].row, [&] {
            tasks[i].comparison =
                predictions->compare(*tasks[i].predictor, pair.embedding, sampled.snapshots);
        });
    }
    if (sampled.is_sampled && tasks[first].row.status == "ok") {
        const auto mean_shift = std::ranges::find_if(
            tasks.begin() + static_cast<std::ptrdiff_t>(first), tasks.end(),
            [](const PredictorRun& task) { return task.predictor->shift == Shift::training_mean; });
        pair.samples.push_back(predictions->sample(tasks[first].comparison.predicted,
                                                   mean_shift->comparison.predicted, sampled.snapshots.times,
                                                   sampled.x));
    }
    // The model is the first predictor. A full disk is no failure of the pair: it ends the run.
    if (job.predictions == nullptr || tasks[first].row.status != "ok") return;
    const linalg::ConstMatrixView<float> predicted = tasks[first].comparison.predicted;
    job.predictions->add(prediction_index(job, pair.pair), predictions->control_rows(), {&predicted, 1});
}

// Returns whether a prediction is compared with the target of the model.
bool compares_target(const PredictorRun& task) {
    return task.predictor->kind != PredictionKind::target_half &&
           task.predictor->kind != PredictionKind::target_sample;
}

// Returns whether a prediction is the control plus a constant shift.
bool is_translate(const PredictorRun& task) {
    return task.predictor->kind == PredictionKind::translate;
}

// Returns the kernel means of the target of a pair, empty if no selected metric needs them.
// @param tasks  all tasks of the pair
std::optional<metrics::KernelMeans> target_means(std::span<PredictorRun> tasks,
                                                 const metrics::Selection& selected) {
    std::optional<metrics::KernelMeans> means;
    if (!metrics::needs_kernels(selected)) return means;
    for (PredictorRun& task : tasks) {
        if (means || !compares_target(task)) continue;
        record(task.row,
               [&] { means = metrics::truth_kernel_means(task.comparison.truth.view(), selected); });
    }
    return means;
}

// Scores tasks one after the other in the space of the model. Several tasks must have the same target: they
// share its distance.
void score_tasks(std::span<PredictorRun* const> tasks, const metrics::Selection& selected,
                 metrics::SharedWork shared) {
    std::optional<metrics::CachedWasserstein> distance;
    for (PredictorRun* task : tasks) {
        record(task->row, [&] {
            const CellComparison& c = task->comparison;
            task->row.message = c.unavailable;
            if (!c.unavailable.empty()) return;
            task->row.n_predicted = c.predicted.rows();
            task->row.n_target = c.truth.rows();
            if (tasks.size() > 1) shared.distance = distance ? &*distance : &distance.emplace(c.truth.view());
            task->row.scores = metrics::score(c.predicted.view(), c.truth.view(), selected, shared);
        });
    }
}

// Scores the metrics of the markers of all predictors of a pair, for a model in a latent space.
// @param skipped  a task whose scores another one has, or nullptr
void score_markers(std::span<PredictorRun> tasks, const PairToScore& work, const metrics::Selection& selected,
                   const PredictorRun* skipped) {
    std::optional<metrics::KernelMeans> means;  // those of the target, which most predictors share
    if (metrics::needs_kernels(selected)) {
        record(tasks.front().row, [&] {
            means = metrics::truth_kernel_means(work.predictions->marker_target().view(), selected);
        });
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        if (&tasks[i] == skipped || !tasks[i].comparison.unavailable.empty()) continue;
        record(tasks[i].row, [&] {
            const CellComparison c =
                work.predictions->compare_markers(*tasks[i].predictor, tasks[i].comparison);
            const bool shares = means && compares_target(tasks[i]);
            const metrics::Scores scores = metrics::score(
                c.predicted.view(), c.truth.view(), selected,
                {.truth_means = shares ? &*means : nullptr, .control_means = &work.control_means});
            metrics::copy_scores(metrics::Space::markers, scores, tasks[i].row.scores);
        });
    }
}

// Returns the task of a kind, nullptr without one.
PredictorRun* find_task(std::span<PredictorRun> tasks, PredictionKind kind) {
    const auto at =
        std::ranges::find_if(tasks, [&](const PredictorRun& task) { return task.predictor->kind == kind; });
    return at == tasks.end() ? nullptr : &*at;
}

// Returns whether the samples of two tasks are the same cells. Samples of one target differ in their sizes
// only.
bool compare_same_cells(const PredictorRun& a, const PredictorRun& b) {
    return a.row.status == "ok" && b.row.status == "ok" && a.comparison.predicted.rows() > 0 &&
           a.comparison.predicted.rows() == b.comparison.predicted.rows() &&
           a.comparison.truth.rows() == b.comparison.truth.rows();
}

// Tasks whose scores are those of another task.
struct SameScores {
    const PredictorRun* from;
    PredictorRun* to;
};

}  // namespace

std::vector<ScoredPair> score_pairs(const ScoringJob& job, std::span<const std::size_t> pairs) {
    std::vector<ScoredPair> scored;
    std::vector<PredictorRun> tasks;
    std::vector<PairToScore> work(pairs.size());
    const bool has_latent = job.trained.latent != nullptr;
    for (std::size_t p : pairs) {
        ScoredPair& pair = scored.emplace_back(ScoredPair{.pair = p});
        PairToScore& own = work[scored.size() - 1];
        predict(job, pair, tasks, own);
        if (!has_latent) own.predictions.reset();
    }
    const metrics::Selection all = selection(job.options);
    const metrics::Selection selected = has_latent ? metrics::restrict_to(metrics::Space::latent, all) : all;
    const std::size_t predictors = predictors_of(job.trained).size();
    std::vector<std::optional<metrics::KernelMeans>> means;
    std::vector<std::vector<PredictorRun*>> groups;
    std::vector<SameScores> same;
    for (std::size_t first = 0; first < tasks.size(); first += predictors) {
        const std::span<PredictorRun> pair_tasks(tasks.data() + first, predictors);
        means.push_back(target_means(pair_tasks, selected));
        std::vector<PredictorRun*> translates;
        for (PredictorRun& task : pair_tasks) {
            if (is_translate(task)) translates.push_back(&task);
        }
        groups.push_back(std::move(translates));
        const PredictorRun* halves = find_task(pair_tasks, PredictionKind::target_half);
        PredictorRun* samples = find_task(pair_tasks, PredictionKind::target_sample);
        const bool are_same = compare_same_cells(*halves, *samples);
        if (are_same) same.push_back({halves, samples});
        for (PredictorRun& task : pair_tasks) {
            if (!is_translate(task) && !(are_same && &task == samples)) groups.push_back({&task});
        }
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t k = 0; k < groups.size(); ++k) {
        const auto pair = static_cast<std::size_t>(groups[k].front() - tasks.data()) / predictors;
        const bool shares = means[pair] && compares_target(*groups[k].front());
        score_tasks(
            groups[k], selected,
            {.truth_means = shares ? &*means[pair] : nullptr, .control_means = &work[pair].control_means});
        if (has_latent) continue;
        for (PredictorRun* task : groups[k]) task->comparison = {};
    }
    for (std::size_t k = 0; has_latent && k < pairs.size(); ++k) {
        const std::span<PredictorRun> pair_tasks(tasks.data() + k * predictors, predictors);
        const auto copy = std::ranges::find_if(same, [&](const SameScores& s) {
            return s.to >= pair_tasks.data() && s.to < pair_tasks.data() + predictors;
        });
        score_markers(pair_tasks, work[k], metrics::restrict_to(metrics::Space::markers, all),
                      copy == same.end() ? nullptr : copy->to);
        work[k].predictions.reset();
        for (PredictorRun& task : pair_tasks) task.comparison = {};
    }
    for (const auto& [from, to] : same) {
        const double seconds = to->row.seconds;
        const Predictor* predictor = to->predictor;
        to->row = from->row;
        to->row.predictor = predictor->name;
        to->row.seconds = seconds;
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const PairScore& row = tasks[i].row;
        if (job.predictions != nullptr && tasks[i].predictor->is_model() && row.status != "ok")
            job.predictions->drop(prediction_index(job, row.pair));
        scored[i / predictors].scores.push_back(std::move(tasks[i].row));
    }
    return scored;
}

void predict_again(const ScoringJob& job, std::size_t pair) {
    const PairPredictions predictions(job.screen, pair, job.trained, job.reader, job.options);
    std::vector<float> embedding;
    const CellComparison model = predictions.compare(predictors().front(), embedding);
    const linalg::ConstMatrixView<float> predicted = model.predicted;
    job.predictions->add(prediction_index(job, pair), predictions.control_rows(), {&predicted, 1});
}

}  // namespace popflow::eval
