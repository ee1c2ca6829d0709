// SPDX-License-Identifier: MIT
#include "eval/set_evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <span>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "linalg/gather_rows.hpp"
#include "mpi/run_collectively.hpp"
#include "ot/gaussian_moments.hpp"
#include "predict/trained_model.hpp"
#include "screen/conditions.hpp"
#include "screen/screen_draft.hpp"

namespace popflow::eval {

namespace {

using linalg::Matrix;
using Populations = std::vector<Matrix<float>>;

// Name of the rows for all labels together.
constexpr const char* all_labels = "all";

// Number of values of whole populations that are read at a time, unless one population has more.
constexpr std::size_t group_values = std::size_t{1} << 26U;

// Purposes of draws, a part of the stream keys.
enum class SetDraw : std::uint64_t { real, training, cells, resample, gaussian, pooled, given, sizes };

core::Stream set_stream(std::uint64_t seed, const std::string& label, SetDraw draw, std::size_t index = 0) {
    const std::uint64_t name = screen::digest_text(static_cast<std::uint64_t>(draw) + 1, label);
    return {seed, core::Purpose::generation, name, index};
}

// Populations of one label.
struct Label {
    std::string name;
    std::vector<screen::Population> conditions;  ///< condition of each held-out population
    Populations real;
    Populations training;
    std::vector<std::string> names;  ///< names of the held-out populations
    Populations given;               ///< given cells of each held-out population, empty for generation
    std::vector<std::size_t> sizes;  ///< number of cells of each predicted population
};

std::string label_of(const screen::Screen& screen, std::size_t pair) {
    const screen::Population& population = screen.populations[screen.pairs[pair].treated];
    const bool has_dose = screen.options.doses == screen::Doses::all;
    return screen::condition_name(population.treatment, has_dose ? population.concentration : "");
}

// Returns at most `count` of the items, ascending.
std::vector<std::size_t> drawn(const std::vector<std::size_t>& items, std::size_t count,
                               core::Stream stream) {
    if (items.size() <= count) return items;
    std::vector<std::size_t> chosen;
    for (const std::uint32_t k : stream.sample(items.size(), count)) chosen.push_back(items[k]);
    std::ranges::sort(chosen);
    return chosen;
}

Matrix<float> drawn_rows(const Matrix<float>& x, std::size_t count, core::Stream stream) {
    if (x.rows() == count) return x;
    std::vector<std::uint32_t> rows = stream.sample(x.rows(), count);
    std::ranges::sort(rows);
    Matrix<float> result;
    linalg::gather_rows(x.view(), rows, result);
    return result;
}

// Mean and standard deviation of each of some numbers.
struct Spread {
    explicit Spread(std::size_t count) : sum(count), squares(count) {}
    void add(std::size_t k, double value) {
        sum[k] += value;
        squares[k] += value * value;
    }
    double draw(std::size_t k, double n, core::Stream& stream) const {
        const double mean = sum[k] / n;
        return mean + std::sqrt(std::max(0.0, squares[k] / n - mean * mean)) * stream.normal();
    }
    std::vector<double> sum;
    std::vector<double> squares;
};

// Gaussians whose means and Cholesky factors have the moments of those of some populations.
Populations gaussian_populations(const Populations& training, std::span<const std::size_t> sizes,
                                 std::uint64_t seed, const std::string& label) {
    const std::size_t d = training.front().cols();
    Spread means(d);
    Spread factors(d * d);
    for (const Matrix<float>& population : training) {
        const ot::GaussianMoments moments = ot::gaussian_moments(population);
        const Matrix<double> factor = ot::cholesky_factor(moments.covariance);
        for (std::size_t j = 0; j < d; ++j) means.add(j, moments.mean[j]);
        for (std::size_t k = 0; k < d * d; ++k) factors.add(k, factor.values()[k]);
    }
    const auto n = static_cast<double>(training.size());
    Populations result;
    for (std::size_t p = 0; p < sizes.size(); ++p) {
        core::Stream stream = set_stream(seed, label, SetDraw::gaussian, p);
        std::vector<double> mean(d);
        Matrix<double> factor(d, d);
        for (std::size_t j = 0; j < d; ++j) mean[j] = means.draw(j, n, stream);
        for (std::size_t j = 0; j < d; ++j) {
            for (std::size_t k = 0; k <= j; ++k) factor(j, k) = factors.draw(j * d + k, n, stream);
        }
        Matrix<float>& x = result.emplace_back(sizes[p], d);
        std::vector<double> normal(d);
        for (std::size_t i = 0; i < x.rows(); ++i) {
            for (double& value : normal) value = stream.normal();
            for (std::size_t j = 0; j < d; ++j) {
                double sum = mean[j];
                for (std::size_t k = 0; k <= j; ++k) sum += factor(j, k) * normal[k];
                x(i, j) = static_cast<float>(sum);
            }
        }
    }
    return result;
}

// Populations of random cells of all training populations together.
Populations pooled_populations(const Populations& training, std::span<const std::size_t> sizes,
                               std::uint64_t seed, const std::string& label) {
    Populations result;
    for (std::size_t p = 0; p < sizes.size(); ++p) {
        core::Stream stream = set_stream(seed, label, SetDraw::pooled, p);
        Matrix<float>& x = result.emplace_back(sizes[p], training.front().cols());
        for (std::size_t i = 0; i < x.rows(); ++i) {
            const Matrix<float>& from = training[stream.below(training.size())];
            std::ranges::copy(from.view().row_span(stream.below(from.rows())), x.view().row(i));
        }
    }
    return result;
}

// Cells drawn with replacement from the given cells of each population.
Populations given_populations(const Populations& given, std::span<const std::size_t> sizes,
                              std::uint64_t seed, const std::string& label) {
    Populations result;
    for (std::size_t p = 0; p < given.size(); ++p) {
        core::Stream stream = set_stream(seed, label, SetDraw::given, p);
        Matrix<float>& x = result.emplace_back(sizes[p], given[p].cols());
        for (std::size_t i = 0; i < x.rows(); ++i)
            std::ranges::copy(given[p].view().row_span(stream.below(given[p].rows())), x.view().row(i));
    }
    return result;
}

std::size_t mean_cells(const Populations& populations) {
    std::size_t sum = 0;
    for (const Matrix<float>& x : populations) sum += x.rows();
    return (sum + populations.size() / 2) / populations.size();
}

// At most `count` random training populations.
Populations resampled_populations(const Populations& training, std::size_t count, std::uint64_t seed,
                                  const std::string& label) {
    Populations result;
    core::Stream stream = set_stream(seed, label, SetDraw::resample);
    for (const std::uint32_t k : stream.sample(training.size(), std::min(count, training.size())))
        result.push_back(training[k]);
    return result;
}

// The scores of one label and predictor as bytes of a partial result.
std::string record_text(const std::vector<SetComparison>& comparisons) {
    std::string text(comparisons.size() * sizeof(SetComparison), '\0');
    std::memcpy(text.data(), comparisons.data(), text.size());
    return text;
}

std::vector<SetComparison> record_comparisons(const std::string& text) {
    std::vector<SetComparison> comparisons(text.size() / sizeof(SetComparison));
    std::memcpy(comparisons.data(), text.data(), comparisons.size() * sizeof(SetComparison));
    return comparisons;
}

// Evaluates the predictors of all labels.
class SetEvaluator {
  public:
    SetEvaluator(const screen::Screen& screen, const screen::Split& split, screen::Part part,
                 const predict::GeneratorModel& generator, const SetEvaluationOptions& options,
                 const SetControl& control, const mpi::Communicator& comm)
        : screen_(screen), generator_(generator), options_(options), control_(control), comm_(comm) {
        scores_training_ = part == screen::Part::train;
        choose(split, part);
        mpi::run_collectively(comm_, [&] { read(); });
    }

    SetEvaluation run();

  private:
    void choose(const screen::Split& split, screen::Part part);
    void read();
    void add_all_labels();
    // Number of cells of a population with n cells to compare.
    std::size_t compared_cells(std::size_t n) const {
        return options_.sets.cells == SetCells::own ? std::min(n, options_.max_cells) : cells_;
    }
    void choose_sizes(Label& label) const;
    bool completes() const { return generator_.sampler().given_cells() > 0; }
    void read_completed(const predict::ScreenReader& reader, std::size_t label);
    Populations generated_part(const Label& label, const predict::GenerateOptions& options, std::size_t first,
                               std::size_t end) const;
    Populations generated(const Label& label, bool from_noise) const;
    Populations predicted(const Label& label, const std::string& predictor) const;
    std::optional<std::vector<SetComparison>> compare(const Label& label, const std::string& predictor);
    void add_samples(const Label& label);

    bool scores_training_ = false;  // whether the compared populations were trained on
    const screen::Screen& screen_;
    const predict::GeneratorModel& generator_;
    const SetEvaluationOptions& options_;
    const SetControl& control_;
    const mpi::Communicator& comm_;
    std::vector<std::vector<std::size_t>> real_pairs_;      // by label
    std::vector<std::vector<std::size_t>> training_pairs_;  // by label
    std::vector<Label> labels_;
    std::size_t cells_ = 0;  // number of cells of each population, for SetCells::equal
    SetEvaluation result_;
};

void SetEvaluator::choose(const screen::Split& split, screen::Part part) {
    std::map<std::string, std::vector<std::size_t>> real;
    std::map<std::string, std::vector<std::size_t>> training;
    const screen::Conditions& conditions = generator_.checkpoint().conditions;
    // A completed population has at least two cells that are not given.
    const std::size_t least = completes() ? generator_.sampler().given_cells() + 2 : 0;
    for (const std::size_t p : split.pairs(part)) {
        const screen::Population& population = screen_.populations[screen_.pairs[p].treated];
        if (conditions.can_encode(population.treatment) && population.n_cells >= least)
            real[label_of(screen_, p)].push_back(p);
    }
    for (const std::size_t p : split.pairs(screen::Part::train)) training[label_of(screen_, p)].push_back(p);
    std::vector<std::string> skipped;
    const std::size_t most = options_.sets.max_populations;
    for (const auto& [name, pairs] : real) {
        if (pairs.size() < 2) {
            skipped.push_back(name);
            continue;
        }
        labels_.push_back({name, {}, {}, {}, {}, {}, {}});
        real_pairs_.push_back(drawn(pairs, most, set_stream(options_.seed, name, SetDraw::real)));
        training_pairs_.push_back(
            drawn(training[name], most, set_stream(options_.seed, name, SetDraw::training)));
    }
    if (labels_.empty())
        throw core::ConfigError("split",
                                "leaves no label with two held-out populations to compare. Hold more "
                                "populations out, or compare files with popflow metrics --population");
    if (!skipped.empty())
        result_.notes.push_back(
            fmt::format("{} left out, since a comparison needs two held-out populations: {}",
                        core::counted(skipped.size(), "label"), core::joined(skipped)));
}

// Reads the cells of all populations.
void SetEvaluator::read() {
    cells_ = options_.max_cells;
    const auto limit_cells = [&](const std::vector<std::vector<std::size_t>>& pairs, std::size_t given) {
        for (const std::vector<std::size_t>& own : pairs) {
            for (const std::size_t p : own)
                cells_ = std::min(cells_, screen_.populations[screen_.pairs[p].treated].n_cells - given);
        }
    };
    limit_cells(real_pairs_, generator_.sampler().given_cells());
    limit_cells(training_pairs_, 0);
    const train::Checkpoint& checkpoint = generator_.checkpoint();
    const predict::ScreenReader reader(screen_, checkpoint.normalisation, checkpoint.latent.if_used(),
                                       checkpoint.cell_types);
    const auto read_set = [&](const std::vector<std::size_t>& pairs, Populations& set) {
        std::vector<std::size_t> group;
        std::size_t values = 0;
        for (std::size_t k = 0; k < pairs.size(); ++k) {
            group.push_back(screen_.pairs[pairs[k]].treated);
            values += screen_.populations[group.back()].n_cells * screen_.markers.size();
            if (values < group_values && k + 1 < pairs.size()) continue;
            const std::vector<screen::Cells> cells = reader.read(group);
            for (std::size_t i = 0; i < group.size(); ++i) {
                const std::string name = screen::population_label(screen_, group[i]);
                set.push_back(drawn_rows(cells[i].x, compared_cells(cells[i].x.rows()),
                                         set_stream(options_.seed, name, SetDraw::cells)));
            }
            group.clear();
            values = 0;
        }
    };
    for (std::size_t l = 0; l < labels_.size(); ++l) {
        if (completes())
            read_completed(reader, l);
        else
            read_set(real_pairs_[l], labels_[l].real);
        read_set(training_pairs_[l], labels_[l].training);
        for (const std::size_t p : real_pairs_[l]) {
            labels_[l].conditions.push_back(screen_.populations[screen_.pairs[p].treated]);
            labels_[l].names.push_back(screen::population_label(screen_, screen_.pairs[p].treated));
        }
    }
    if (labels_.size() > 1) add_all_labels();
    for (Label& label : labels_) choose_sizes(label);
}

// Chooses the numbers of cells of predicted populations. A completed population has those of its held-out
// one, and without training populations the held-out ones take their place.
void SetEvaluator::choose_sizes(Label& label) const {
    core::Stream stream = set_stream(options_.seed, label.name, SetDraw::sizes);
    const Populations& like = label.training.empty() ? label.real : label.training;
    for (const Matrix<float>& real : label.real)
        label.sizes.push_back(options_.sets.cells == SetCells::equal ? cells_
                              : completes()                          ? real.rows()
                                            : like[stream.below(like.size())].rows());
}

// Reads the held-out populations of a label, and separates the given cells from the compared ones.
void SetEvaluator::read_completed(const predict::ScreenReader& reader, std::size_t label) {
    for (const std::size_t p : real_pairs_[label]) {
        const std::size_t population[] = {screen_.pairs[p].treated};
        const std::string name = screen::population_label(screen_, population[0]);
        const Matrix<float> x = reader.read(population).front().x;
        const std::vector<std::uint32_t> order =
            set_stream(options_.seed, name, SetDraw::cells).permutation(x.rows());
        const auto take = [&](std::size_t first, std::size_t count, Populations& to) {
            linalg::gather_rows(x.view(), std::span(order).subspan(first, count), to.emplace_back());
        };
        const std::size_t given = generator_.sampler().given_cells();
        take(0, given, labels_[label].given);
        take(given, compared_cells(x.rows() - given), labels_[label].real);
    }
}

// Adds a label for all labels together, with at most max_populations of each set.
void SetEvaluator::add_all_labels() {
    Label all{all_labels, {}, {}, {}, {}, {}, {}};
    const auto choose_from = [&](Populations Label::*set, SetDraw draw) {
        std::vector<std::pair<std::size_t, std::size_t>> items;
        for (std::size_t l = 0; l < labels_.size(); ++l) {
            for (std::size_t k = 0; k < (labels_[l].*set).size(); ++k) items.emplace_back(l, k);
        }
        std::vector<std::size_t> order(items.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        for (const std::size_t i :
             drawn(order, options_.sets.max_populations, set_stream(options_.seed, all_labels, draw))) {
            (all.*set).push_back((labels_[items[i].first].*set)[items[i].second]);
            if (set != &Label::real) continue;
            const Label& from = labels_[items[i].first];
            all.conditions.push_back(from.conditions[items[i].second]);
            all.names.push_back(from.names[items[i].second]);
            if (completes()) all.given.push_back(from.given[items[i].second]);
        }
    };
    choose_from(&Label::real, SetDraw::real);
    choose_from(&Label::training, SetDraw::training);
    labels_.push_back(std::move(all));
}

// Generates populations [first, end) of generated().
Populations SetEvaluator::generated_part(const Label& label, const predict::GenerateOptions& options,
                                         std::size_t first, std::size_t end) const {
    Populations result;
    if (completes()) {
        for (std::size_t k = first; k < end; ++k) {
            const predict::PopulationToComplete population{label.names[k], label.conditions[k],
                                                           label.given[k]};
            predict::GenerateOptions own = options;
            own.cells = label.sizes[k];
            result.push_back(
                std::move(predict::complete(generator_, population, own, 0, 1).front().cells.front()));
        }
        return result;
    }
    std::map<std::string, std::size_t> used;  // populations of each condition
    for (std::size_t k = 0; k < end;) {
        const auto name = [&](std::size_t i) {
            return screen::condition_name(label.conditions[i].treatment, label.conditions[i].concentration);
        };
        std::size_t next = k;
        while (next < end && name(next) == name(k)) ++next;
        std::size_t& index = used[name(k)];
        const std::size_t skipped = std::clamp(first, k, next) - k;
        if (skipped < next - k) {
            predict::GenerateOptions own = options;
            own.sizes.assign(label.sizes.begin() + static_cast<std::ptrdiff_t>(k + skipped),
                             label.sizes.begin() + static_cast<std::ptrdiff_t>(next));
            for (models::GeneratedPopulation& population :
                 predict::generate(generator_, label.conditions[k], own, index + skipped, next - k - skipped))
                result.push_back(std::move(population.cells.front()));
        }
        index += next - k;
        k = next;
    }
    return result;
}

// Predicts each held-out population: generates one under its condition, or completes its given cells. The
// ranks share the work.
Populations SetEvaluator::generated(const Label& label, bool from_noise) const {
    predict::GenerateOptions generate = options_.generate;
    generate.times = {from_noise ? 0.0 : 1.0};
    if (from_noise) generate.fixed = {ode::FixedMethod::euler, 1};  // the start does not depend on the steps
    const std::size_t count = label.conditions.size();
    const auto ranks = static_cast<std::size_t>(comm_.size());
    const auto rank = static_cast<std::size_t>(comm_.rank());
    const auto bound = [&](std::size_t r) { return count * r / ranks; };
    Populations own;
    mpi::run_collectively(comm_,
                          [&] { own = generated_part(label, generate, bound(rank), bound(rank + 1)); });
    const std::size_t d = generator_.checkpoint().data.markers;
    Populations result;
    for (std::size_t r = 0; r < ranks; ++r) {
        for (std::size_t k = bound(r); k < bound(r + 1); ++k) {
            Matrix<float>& population = result.emplace_back(label.sizes[k], d);
            if (r == rank) population = std::move(own[k - bound(rank)]);
            std::vector<std::size_t> bounds(ranks + 1, 0);
            std::fill(bounds.begin() + static_cast<std::ptrdiff_t>(r) + 1, bounds.end(), population.size());
            comm_.all_gather(population.values(), bounds);
        }
    }
    return result;
}

Populations SetEvaluator::predicted(const Label& label, const std::string& predictor) const {
    const std::size_t count = label.real.size();
    if (predictor == "model") return generated(label, false);
    if (predictor == "noise") return generated(label, true);
    if (predictor == "given") return given_populations(label.given, label.sizes, options_.seed, label.name);
    if (predictor == "resample")
        return resampled_populations(label.training, count, options_.seed, label.name);
    if (predictor == "gaussian")
        return gaussian_populations(label.training, label.sizes, options_.seed, label.name);
    return pooled_populations(label.training, label.sizes, options_.seed, label.name);
}

// Returns the scores of a predictor, or nothing on a request to stop.
std::optional<std::vector<SetComparison>> SetEvaluator::compare(const Label& label,
                                                                const std::string& predictor) {
    ComparedSets sets{label.real, {}, label.training};
    if (scores_training_) sets.training = {};  // no population could be nearer to them than to the real ones
    Populations own;
    Populations half;
    if (predictor == "floor") {
        for (std::size_t k = 0; k < label.real.size(); ++k)
            (k % 2 == 0 ? half : own).push_back(label.real[k]);
        sets.real = half;
    } else {
        own = predicted(label, predictor);
        sets.is_paired = completes();
    }
    sets.generated = own;
    return compare_sets(sets, options_.sets, options_.seed, comm_, control_.stop);
}

void SetEvaluator::add_samples(const Label& label) {
    const auto add = [&](const std::string& set, const Populations& populations) {
        for (std::size_t k = 0; k < std::min(options_.samples, populations.size()); ++k) {
            core::Stream stream = set_stream(options_.seed, label.name, SetDraw::cells, k);
            const std::size_t cells = std::min(options_.sample_cells, populations[k].rows());
            result_.samples.push_back({label.name, set, k, 1, drawn_rows(populations[k], cells, stream)});
        }
    };
    add("real", label.real);
    add("training", label.training);
    predict::GenerateOptions generate = options_.generate;
    generate.times = {0, 0.25, 0.5, 0.75, 1};
    const std::size_t count = std::min(options_.samples, label.real.size());
    for (std::size_t k = 0; k < count; ++k)
        generate.sizes.push_back(std::min(options_.sample_cells, label.sizes[k]));
    predict::GenerateOptions one = generate;
    std::vector<models::GeneratedPopulation> populations;
    if (!completes())
        populations = predict::generate(generator_, label.conditions.front(), generate, 0, count);
    for (std::size_t k = 0; completes() && k < count; ++k) {
        one.sizes = {generate.sizes[k]};
        populations.push_back(std::move(
            predict::complete(generator_, {label.names[k], label.conditions[k], label.given[k]}, one, 0, 1)
                .front()));
    }
    for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t t = 0; t < generate.times.size(); ++t)
            result_.samples.push_back({label.name, "model", k, generate.times[t], populations[k].cells[t]});
    }
}

SetEvaluation SetEvaluator::run() {
    const std::vector<std::string>& predictors = set_predictor_names(completes());
    std::map<std::size_t, std::string> kept;
    if (control_.partial != nullptr) {
        for (const TaskRecord& record : control_.partial->kept()) kept[record.item] = record.text;
    }
    const std::vector<std::size_t> known =
        control_.partial != nullptr ? control_.partial->kept_items() : std::vector<std::size_t>{};
    const std::size_t work = labels_.size() * predictors.size();
    for (std::size_t item = 0; item < work; ++item) {
        const Label& label = labels_[item / predictors.size()];
        const std::string& predictor = predictors[item % predictors.size()];
        SetRow row{.label = label.name,
                   .predictor = predictor,
                   .real = label.real.size(),
                   .generated = label.real.size(),
                   .training = label.training.size(),
                   .cells = mean_cells(label.real)};
        if (predictor == "floor") {
            row.real = (label.real.size() + 1) / 2;
            row.generated = label.real.size() / 2;
        }
        if (predictor == "resample") row.generated = std::min(row.generated, row.training);
        const bool draws_training =
            predictor == "resample" || predictor == "gaussian" || predictor == "pooled";
        if (row.generated < 2 || (draws_training && label.training.empty())) {
            row.note =
                predictor == "floor" ? "needs four held-out populations" : "needs two training populations";
            result_.rows.push_back(row);
            continue;
        }
        const auto began = std::chrono::steady_clock::now();
        std::vector<SetComparison> comparisons;
        if (std::ranges::binary_search(known, item)) {
            if (comm_.is_root()) comparisons = record_comparisons(kept.at(item));
        } else {
            std::optional<std::vector<SetComparison>> own = compare(label, predictor);
            if (!own) {
                result_.stopped = true;
                return std::move(result_);
            }
            comparisons = std::move(*own);
            if (control_.partial != nullptr && comm_.is_root())
                control_.partial->add({.item = item, .text = record_text(comparisons)});
        }
        row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        for (const SetComparison& comparison : comparisons) {
            row.comparison = comparison;
            result_.rows.push_back(row);
        }
        if (control_.progress) control_.progress(item + 1, work);
    }
    mpi::run_collectively(comm_, [&] {
        if (!comm_.is_root()) return;
        for (const Label& label : labels_) {
            if (label.name != all_labels || labels_.size() == 1) add_samples(label);
        }
    });
    return std::move(result_);
}

}  // namespace

const std::vector<std::string>& set_predictor_names(bool completes) {
    static const std::vector<std::string> generated{"model",  "resample", "gaussian",
                                                    "pooled", "noise",    "floor"};
    static const std::vector<std::string> completed{"model",  "given", "resample", "gaussian",
                                                    "pooled", "noise", "floor"};
    return completes ? completed : generated;
}

SetEvaluation evaluate_sets(const screen::Screen& screen, const screen::Split& split, screen::Part part,
                            const predict::GeneratorModel& generator, const SetEvaluationOptions& options,
                            const SetControl& control, const mpi::Communicator& comm) {
    return SetEvaluator(screen, split, part, generator, options, control, comm).run();
}

}  // namespace popflow::eval
