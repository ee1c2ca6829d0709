// SPDX-License-Identifier: MIT
#include "eval/fold_scores.hpp"

#include <algorithm>
#include <limits>

#include "core/error.hpp"
#include "metrics/metric.hpp"
#include "predict/trained_model.hpp"
#include "train/training_items.hpp"

namespace popflow::eval {

using linalg::ConstMatrixView;
using linalg::Matrix;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

// Computes energy distances to the treated cells of one pair.
class EnergyDistance {
  public:
    explicit EnergyDistance(Matrix<float> truth)
        : truth_(std::move(truth)), means_(metrics::truth_kernel_means(truth_.view(), selection())) {}
    double operator()(ConstMatrixView<float> predicted) const {
        return metrics::score(predicted, truth_.view(), selection(), {.truth_means = &means_}).energy;
    }

  private:
    static metrics::Selection selection() {
        const std::string names[] = {"energy"};
        return metrics::select_metrics(names);
    }

    Matrix<float> truth_;
    metrics::KernelMeans means_;
};

// Scores the held-out pairs of a fold.
class FoldScorer {
  public:
    // @param trained  with the start map alone, neither shrinkage nor guard
    // @param is_finite  whether the training has not diverged
    FoldScorer(const screen::Screen& screen, const predict::TrainedModel& trained,
               const FoldTraining& training, const FoldScoring& scoring, bool is_finite)
        : screen_(screen),
          trained_(trained),
          training_(training),
          scoring_(scoring),
          is_finite_(is_finite),
          reader_(screen, trained) {}

    HeldOutEnergies score(std::size_t pair) const {
        using predict::DrawRole;
        const std::size_t ids[] = {screen_.pairs[pair].control, screen_.pairs[pair].treated};
        const std::vector<screen::Cells> cells = reader_.read(ids);
        const screen::Cells control = draw(cells[0], pair, DrawRole::control);
        const EnergyDistance energy(draw(cells[1], pair, DrawRole::target).x);
        const screen::Population& treated = screen_.populations[ids[1]];
        const predict::PopulationInput input = predict::population_input(trained_, control);

        HeldOutEnergies energies{.pair = pair, .training_distance = input.distance};
        energies.identity = energy(control.x);
        energies.mean_shift = energy(moved(models::StartKind::mean_shift, input, treated, control.x));
        energies.moment_map = energy(moved(models::StartKind::moment_map, input, treated, control.x));
        if (!is_finite_) {
            energies.shrinkages.assign(training_.shrinkages.size(), infinite);
            return energies;
        }
        try {
            score_model(pair, input, control, energy, energies);
        } catch (const core::NumericalError&) {
            energies.shrinkages.assign(training_.shrinkages.size(), infinite);
        }
        return energies;
    }

  private:
    // Scores the trained model with each shrinkage.
    void score_model(std::size_t pair, const predict::PopulationInput& input, const screen::Cells& control,
                     const EnergyDistance& energy, HeldOutEnergies& energies) const {
        const std::size_t ids[] = {screen_.pairs[pair].control, screen_.pairs[pair].treated};
        const screen::Population& treated = screen_.populations[ids[1]];
        const Matrix<float> target = moved(training_.start.target_kind(), input, treated, control.x);
        Matrix<float> transported = control.x;
        core::Stream noise = predict::control_stream(scoring_.seed, screen_, ids[0], predict::DrawRole::base);
        predict::transport_cells(trained_, input, treated, scoring_.solver, noise, transported.view());
        for (const double shrinkage : training_.shrinkages) {
            models::StartOptions options = training_.start;
            options.shrinkage = shrinkage;
            Matrix<float> predicted = transported;
            predict::shrink(target, options.factor(input.distance), predicted.view());
            energies.shrinkages.push_back(energy(predicted));
        }
    }

    screen::Cells draw(const screen::Cells& cells, std::size_t pair, predict::DrawRole role) const {
        return predict::take_rows(
            cells, predict::draw_rows(cells.x.rows(), scoring_.max_cells, predict::Draw::random,
                                      predict::pair_stream(scoring_.seed, pair, role)));
    }

    Matrix<float> moved(models::StartKind kind, const predict::PopulationInput& input,
                        const screen::Population& treated, const Matrix<float>& control) const {
        Matrix<float> x = control;
        predict::move_by_map(kind, trained_, input, treated, x.view());
        return x;
    }

    const screen::Screen& screen_;
    const predict::TrainedModel& trained_;
    const FoldTraining& training_;
    const FoldScoring& scoring_;
    bool is_finite_;
    predict::ScreenReader reader_;
};

}  // namespace

std::optional<std::vector<HeldOutEnergies>> score_fold(
    const screen::Screen& screen, const screen::Split& split, FoldTraining training,
    const FoldScoring& scoring, const screen::TreatmentVectors& vectors, const train::CellStorage& storage,
    const mpi::Communicator& comm, const std::function<bool()>& stop) {
    const std::size_t pairs = split.pairs(screen::Part::train).size();
    training.train.batch_pairs = std::min(training.train.batch_pairs, pairs);
    training.data.lanes = training.train.batch_pairs;
    training.data.start = training.start.kind;
    training.train.start_at_identity = training.start.kind != models::StartKind::none;
    const train::TrainingSet set(screen, split, training.data, comm, storage, vectors);
    const train::PairItems items(set, training.sampling);
    const models::DataShape shape = set.shape();
    const std::unique_ptr<models::Model> model = training.family->make(
        *training.settings, shape,
        train::make_model_constants(*training.family, *training.settings, set, training.train.seed),
        training.precision);
    const std::unique_ptr<train::Sampler> sampler = items.make_sampler(*model, training.train, comm);
    train::Trainer trainer(*model, training.train, *sampler, comm);
    bool is_finite = true;
    try {
        while (trainer.steps_done() < training.train.steps) {
            if (trainer.step({.stop = stop()}).stop) return std::nullopt;
        }
    } catch (const core::NumericalError&) {
        is_finite = false;
    }

    const nn::AdamState adam = trainer.adam();
    const models::MomentMap moment_map = models::make_moment_map_baseline(shape);
    const predict::TrainedModel trained{.model = *model->cell_transport(),
                                        .values = adam.average,
                                        .normalisation = set.normalisation(),
                                        .conditions = set.conditions(),
                                        .mean_shifts = set.mean_shifts(),
                                        .cell_types = set.cell_types(),
                                        .moment_map = &moment_map,
                                        .moment_map_values = set.moment_map(),
                                        .start = {.kind = training.start.kind},
                                        .typical_distance = set.typical_distance(),
                                        .latent = set.latent().if_used(),
                                        .marker_shifts = &set.marker_shifts()};
    const FoldScorer scorer(screen, trained, training, scoring, is_finite);
    std::vector<HeldOutEnergies> energies;
    for (const std::size_t pair : split.pairs(screen::Part::validation)) {
        if (set.conditions().can_encode(screen.populations[screen.pairs[pair].treated].treatment))
            energies.push_back(scorer.score(pair));
    }
    return energies;
}

}  // namespace popflow::eval
