// SPDX-License-Identifier: MIT
#include "train/problem_sampler.hpp"

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "core/random.hpp"
#include "ot/cost_matrix.hpp"
#include "ot/entropic.hpp"
#include "ot/gaussian_start.hpp"

namespace popflow::train {

namespace {

using linalg::Matrix;

// Key `a` of Purpose::problems for the draws of a training; `b` is the step and the slot.
constexpr std::uint64_t training_stream = 4;
// Error of the marginals of the solutions for a regression.
constexpr double solution_error = 1e-4;

Matrix<float> in_float(const Matrix<double>& x) {
    Matrix<float> result(x.rows(), x.cols());
    std::ranges::transform(x.values(), result.values().begin(),
                           [](double v) { return static_cast<float>(v); });
    return result;
}

Matrix<float> scalar(double value) {
    Matrix<float> result(1, 1);
    result(0, 0) = static_cast<float>(value);
    return result;
}

// Returns a histogram of at most `count` random atoms of a target, 0 for all of them.
ot::Histogram drawn_atoms(const ot::Histogram& target, std::size_t count, core::Stream& stream) {
    std::vector<std::uint32_t> places(target.atoms.size());
    std::iota(places.begin(), places.end(), 0U);
    if (count > 0 && count < places.size()) {
        stream.sample(target.atoms.size(), count, places);
        std::ranges::sort(places);
    }
    ot::Histogram drawn;
    for (const std::uint32_t place : places) {
        drawn.atoms.push_back(target.atoms[place]);
        drawn.weights.push_back(target.weights[place]);
        drawn.total += target.weights[place];
    }
    for (double& weight : drawn.weights) weight /= drawn.total;
    return drawn;
}

std::vector<ot::GaussianMoments> moments_of(const Matrix<double>& positions,
                                            const std::vector<ot::Histogram>& histograms) {
    std::vector<ot::GaussianMoments> result(histograms.size());
#pragma omp parallel for schedule(dynamic, 16)
    for (std::size_t i = 0; i < histograms.size(); ++i)
        result[i] =
            ot::gaussian_moments(ot::atom_positions(positions, histograms[i]).view(), histograms[i].weights);
    return result;
}

// Draws groups of problems.
class ProblemSampler : public Sampler {
  public:
    ProblemSampler(const HistogramSet& set, models::ProblemDraws draws,
                   const models::DualPredictor& predictor, std::uint64_t seed, std::vector<Lane> lanes)
        : set_(set), draws_(draws), predictor_(predictor), seed_(seed), lanes_(std::move(lanes)) {
        if (!predictor.adds_gaussian()) return;
        source_moments_ = moments_of(set.source_positions, set.sources);
        target_moments_ = moments_of(set.target_positions, set.targets);
    }

    const std::vector<Lane>& lanes() const override { return lanes_; }
    std::size_t max_cells() const override { return draws_.problems; }
    std::unique_ptr<models::SlotInput> make_input() const override { return std::make_unique<Drawn>(); }
    void draw(const Visit& visit, models::SlotInput& input) const override;

  private:
    // A problem with the memory that its views refer to.
    struct DrawnProblem {
        Matrix<double> c;
        ot::Histogram target;
        std::vector<double> base;
        std::vector<double> solution;
    };
    struct Drawn : models::ProblemInput {
        std::vector<DrawnProblem> memory;
    };
    void make_problem(std::size_t source_index, std::size_t target_index, core::Stream& stream,
                      DrawnProblem& memory, models::TrainingProblem& problem) const;
    const std::vector<ot::GaussianMoments>& target_moments() const {
        return set_.targets.empty() ? source_moments_ : target_moments_;
    }

    const HistogramSet& set_;
    models::ProblemDraws draws_;
    const models::DualPredictor& predictor_;
    std::uint64_t seed_;
    std::vector<Lane> lanes_;
    std::vector<ot::GaussianMoments> source_moments_;
    std::vector<ot::GaussianMoments> target_moments_;  // empty if a source is also a target
};

void ProblemSampler::make_problem(std::size_t source_index, std::size_t target_index, core::Stream& stream,
                                  DrawnProblem& memory, models::TrainingProblem& problem) const {
    const ot::Histogram& source = set_.sources[source_index];
    const ot::Histogram& target = set_.all_targets()[target_index];
    memory.target = drawn_atoms(target, draws_.demand, stream);
    memory.c = ot::histogram_problem(set_.costs.view(), source, memory.target).c;
    memory.base.assign(source.atoms.size(), 0);
    if (predictor_.adds_gaussian()) {
        const Matrix<double> points = ot::atom_positions(set_.source_positions, source);
        memory.base = ot::gaussian_potential(points.view(), source.weights, source_moments_[source_index],
                                             target_moments()[target_index]);
    }
    problem = {.c = memory.c.view(),
               .a = source.weights,
               .b = memory.target.weights,
               .base = memory.base,
               .solution = {}};
    if (!predictor_.needs_solutions()) return;
    memory.solution =
        ot::solve_entropic(memory.c.view(), source.weights, memory.target.weights,
                           {.epsilon = set_.epsilon, .tolerances = {solution_error}, .values = false})
            .potentials.f;
    problem.solution = memory.solution;
}

void ProblemSampler::draw(const Visit& visit, models::SlotInput& input) const {
    auto& drawn = static_cast<Drawn&>(input);
    const Lane& lane = lanes_[visit.lane];
    core::Stream stream(seed_, core::Purpose::problems, training_stream, visit.step * 4096 + lane.slot);
    const std::vector<ot::Histogram>& targets = set_.all_targets();
    drawn.pairs.resize(draws_.problems);
    drawn.problems.resize(draws_.problems);
    drawn.memory.resize(draws_.problems);
    drawn.n_cells = draws_.problems;
    for (std::size_t p = 0; p < draws_.problems; ++p) {
        const std::size_t source = p == 0 ? lane.items[visit.item] : stream.below(set_.sources.size());
        std::size_t target = stream.below(targets.size());
        while (set_.targets.empty() && target == source) target = stream.below(targets.size());
        drawn.pairs[p] = {&set_.sources[source], &targets[target]};
        make_problem(source, target, stream, drawn.memory[p], drawn.problems[p]);
    }
}

}  // namespace

models::Constants HistogramSet::constants() const {
    models::Constants constants;
    constants.matrices["source_positions"] = in_float(source_positions);
    constants.matrices["target_positions"] = in_float(target_positions);
    constants.matrices["epsilon"] = scalar(epsilon);
    constants.matrices["scale"] = scalar(0.3 * ot::summarise_costs(costs.view()).mean);
    return constants;
}

std::unique_ptr<Sampler> ProblemItems::make_sampler(const models::Model& model, const TrainOptions& train,
                                                    const mpi::Communicator& communicator) const {
    return std::make_unique<ProblemSampler>(
        set_, draws_, *model.dual_predictor(), train.seed,
        equal_lanes(set_.sources.size(), train.batch_pairs, communicator, "histogram", 2));
}

OnePassResult ProblemItems::train_in_one_pass(const models::OnePassTraining& /*model*/,
                                              std::size_t /*n_weights*/,
                                              const mpi::Communicator& /*communicator*/) const {
    throw core::Error("training: transport problems have no training in one pass");
}

}  // namespace popflow::train
