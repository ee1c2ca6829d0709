// SPDX-License-Identifier: MIT
#include "report/report_panels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>

#include "core/natural_order.hpp"
#include "core/text.hpp"
#include "linalg/principal_components.hpp"
#include "models/family.hpp"
#include "report/plot/chart.hpp"
#include "report/plot/heat_map.hpp"
#include "report/plot/markup.hpp"

namespace popflow::report {

namespace {

using Texts = std::vector<std::string>;

std::size_t index_of(const Texts& names, const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

template <class Items, class Member>
Texts labels_of(const Items& items, Member member) {
    Texts labels;
    for (const auto& item : items) labels.push_back(item.*member);
    return core::sorted_labels(labels);
}

// Replaces a long series by the means of `points` intervals. More points would not make a line clearer.
std::vector<double> downsample(const std::vector<double>& values, std::size_t points = 300) {
    if (values.size() <= points) return values;
    std::vector<double> out;
    for (std::size_t p = 0; p < points; ++p) {
        const std::size_t first = p * values.size() / points;
        const std::size_t last = (p + 1) * values.size() / points;
        double sum = 0;
        for (std::size_t i = first; i < last; ++i) sum += values[i];
        out.push_back(sum / static_cast<double>(last - first));
    }
    return out;
}

// Returns the mean of a predictor minus the noise floor over some pairs.
double mean_excess(const std::vector<const PairStatistics*>& pairs, const std::string& predictor) {
    SeedStatistics differences;
    for (const PairStatistics* pair : pairs)
        differences.add(pair->mean(predictor) - pair->mean("noise_floor"));
    return differences.mean();
}

// Property that pairs are grouped by.
struct Grouping {
    const char* role;
    std::string PairStatistics::*member;
};
constexpr Grouping by_patient{"patient", &PairStatistics::patient};
constexpr Grouping by_culture{"culture", &PairStatistics::culture};
constexpr Grouping by_treatment{"treatment", &PairStatistics::treatment};

// Returns the rows and columns of the heat maps. The column by which the split holds out pairs comes first.
std::vector<std::pair<Grouping, Grouping>> heat_maps(const std::vector<PairStatistics>& pairs) {
    std::vector<std::pair<Grouping, Grouping>> maps{
        {by_patient, by_treatment}, {by_culture, by_treatment}, {by_patient, by_culture}};
    if (pairs.empty() || pairs.front().column.empty()) return maps;
    if (pairs.front().column == by_culture.role) {
        std::swap(maps[0], maps[1]);
    } else {
        maps.insert(maps.begin(),
                    {Grouping{pairs.front().column.c_str(), &PairStatistics::value}, by_treatment});
    }
    return maps;
}

// Pairs of each cell of a heat map, by row and column.
using PairGroups = std::map<std::pair<std::string, std::string>, std::vector<const PairStatistics*>>;

PairGroups group_pairs(const std::vector<PairStatistics>& pairs, std::string PairStatistics::*row,
                       std::string PairStatistics::*column) {
    PairGroups groups;
    for (const PairStatistics& pair : pairs) groups[{pair.*row, pair.*column}].push_back(&pair);
    return groups;
}

plot::HeatCell heat_cell(const PairGroups& groups, const std::string& row, const std::string& column) {
    const auto at = groups.find({row, column});
    if (at == groups.end()) return {.value = std::numeric_limits<double>::quiet_NaN()};
    const double value = mean_excess(at->second, "model");
    return {.value = value,
            .title = fmt::format("{}, {}\nmodel - noise floor: {}\ncontrol - noise floor: {}\npairs: {}", row,
                                 column, plot::value_text(value),
                                 plot::value_text(mean_excess(at->second, "identity")), at->second.size())};
}

Figure heat_figure(const std::vector<PairStatistics>& pairs, const std::string& row_title,
                   const std::string& column_title, const Grouping& rows, const Grouping& columns,
                   const std::string& name, const std::string& label, double high) {
    const PairGroups groups = group_pairs(pairs, rows.member, columns.member);
    const Texts row_names = labels_of(pairs, rows.member);
    const Texts column_names = labels_of(pairs, columns.member);
    std::vector<std::vector<plot::HeatCell>> cells;
    for (const std::string& row : row_names) {
        cells.emplace_back();
        for (const std::string& column : column_names) cells.back().push_back(heat_cell(groups, row, column));
    }
    const std::string grouping = row_title + " by " + column_title;
    const std::string drawn = name + " of " + label + " minus the noise floor, " + grouping;
    return {.name = name + " above noise floor " + grouping,
            .title = name + " above the noise floor, " + grouping,
            .charts = {plot::heat_map_drawing(drawn, row_names, column_names, cells, 0, high)},
            .table = plot::heat_map(drawn, row_names, column_names, cells, 0, high)};
}

// Control population with its first two principal components.
struct EmbeddedPopulation {
    std::string name;
    std::string patient;
    std::string culture;
    std::string part;
    double x = 0;
    double y = 0;
};

// Rows of the embeddings of a result file: first those of the training populations, then those of the pairs.
linalg::Matrix<float> all_embeddings(const eval::Results& results) {
    const linalg::Matrix<float>& trained = results.training_embeddings;
    const linalg::Matrix<float>& scored = results.embeddings;
    linalg::Matrix<float> all(trained.rows() + scored.rows(), scored.cols());
    if (trained.rows() > 0) std::ranges::copy(trained.values(), all.values().begin());
    std::ranges::copy(scored.values(),
                      all.values().begin() + static_cast<std::ptrdiff_t>(trained.values().size()));
    return all;
}

// Returns the embedded control populations of a result file. Pairs that share a control and its draw of cells
// share an embedding, which occurs once.
std::vector<EmbeddedPopulation> embedded_populations(const eval::Results& results,
                                                     const linalg::PrincipalComponents& components) {
    std::vector<EmbeddedPopulation> found;
    std::set<std::tuple<std::string, double, double>> seen;
    const auto add = [&](const h5::DataFrame& labels, std::size_t row, std::size_t embedding,
                         const std::string& part) {
        const std::string& pair = labels.strings("pair")[row];
        const std::string experiment = pair.substr(0, pair.rfind(" / "));
        const double x = components.scores(embedding, 0);
        const double y = components.scores(embedding, 1);
        if (!seen.insert({experiment, x, y}).second) return;
        found.push_back(
            {experiment, labels.strings("patient")[row], labels.strings("culture")[row], part, x, y});
    };
    const std::size_t trained = results.training_embeddings.rows();
    for (std::size_t e = 0; e < trained; ++e) add(results.training_populations, e, e, "train");
    std::map<std::string, std::size_t> rows;
    const h5::DataFrame& pairs = results.pairs;
    for (std::size_t i = 0; i < pairs.rows(); ++i) rows.try_emplace(pairs.strings("pair")[i], i);
    for (std::size_t e = 0; e < results.embedding_names.size(); ++e) {
        const auto row = rows.find(results.embedding_names[e]);
        if (row == rows.end()) continue;
        add(pairs, row->second, trained + e, pairs.strings("part")[row->second]);
    }
    return found;
}

// Returns the name of the loss of a method. Methods that share their settings minimise the same loss.
std::string loss_of(const std::string& method) {
    const models::Family* family = models::find_family(method);
    return family == nullptr ? method : family->settings_name();
}

// Chart of a column of the training table.
struct Curve {
    std::string column;
    std::string title;
    bool logarithmic;  ///< logarithmic axis if all values are positive
};

// Returns the curve of a training, or one for each fold of a leave-one-out with the fold as title.
std::vector<plot::Line> training_lines(const h5::DataFrame& training, const std::string& column) {
    const h5::DataFrame::Ints& steps = training.ints("step");
    const h5::DataFrame::Doubles& values = training.doubles(column);
    const bool has_folds = training.contains("fold");
    std::vector<std::pair<std::string, std::vector<std::size_t>>> folds;
    for (std::size_t row = 0; row < training.rows(); ++row) {
        const std::string fold = has_folds ? training.strings("fold")[row] : "";
        if (folds.empty() || folds.back().first != fold) folds.push_back({fold, {}});
        folds.back().second.push_back(row);
    }
    std::vector<plot::Line> lines;
    for (const auto& [fold, rows] : folds) {
        std::vector<double> x;
        std::vector<double> y;
        for (const std::size_t row : rows) {
            x.push_back(static_cast<double>(steps[row]));
            y.push_back(values[row]);
        }
        lines.push_back({.x = downsample(x), .y = downsample(y), .title = fold});
    }
    return lines;
}

// Training curves of the methods whose losses are the same quantity.
std::vector<Figure> training_figures_of(const std::vector<eval::Results>& results,
                                        const Comparison& comparison, const Curve& curve,
                                        const std::string& loss, bool is_only_loss) {
    std::vector<plot::Line> lines;
    Texts names;
    std::vector<std::size_t> groups;
    Texts methods;
    std::size_t model = 0;
    std::vector<double> steps;
    std::vector<double> values;
    for (const ComparisonRow& row : comparison.rows) {
        if (!row.is_model()) continue;
        const std::size_t group = model++;  // a model has the same colour in all charts
        if (!loss.empty() && loss_of(row.method) != loss) continue;
        for (std::size_t file : row.results) {
            const h5::DataFrame& training = results[file].training;
            if (training.rows() == 0 || !training.contains(curve.column)) continue;
            if (groups.empty() || groups.back() != group) {
                names.push_back(row.label());
                groups.push_back(group);
            }
            if (std::ranges::find(methods, core::upper_case(row.method)) == methods.end())
                methods.push_back(core::upper_case(row.method));
            for (plot::Line& line : training_lines(training, curve.column)) {
                line.group = group;
                const std::string fold = line.title.empty() ? "" : ", fold " + line.title;
                line.title = fmt::format("{}, seed {}{}", row.label(), results[file].provenance.seed, fold);
                steps.insert(steps.end(), line.x.begin(), line.x.end());
                values.insert(values.end(), line.y.begin(), line.y.end());
                lines.push_back(std::move(line));
            }
        }
    }
    if (lines.empty()) return {};
    const bool positive = std::ranges::all_of(values, [](double value) { return !(value <= 0); });
    const std::string axis = core::lower_case(curve.title);
    const plot::Axis y =
        positive && curve.logarithmic ? plot::log_axis(axis, values) : plot::linear_axis(axis, values);
    const std::string of = is_only_loss ? "" : " of " + core::joined(methods);
    return {{.name = axis + of,
             .title = curve.title + of,
             .charts = {plot::line_chart(curve.title + of + " over steps", plot::linear_axis("step", steps),
                                         y, lines)},
             .legend = names,
             .groups = groups,
             .sign = plot::Sign::line}};
}

// Adds a horizontal line for each value of a simple model, over the steps of all checks.
// @param values  one for each result file
void add_level(const std::string& name, std::size_t group, const std::vector<double>& values,
               const std::vector<double>& steps, std::vector<plot::Line>& lines) {
    const std::set<double> distinct(values.begin(), values.end());
    for (const double value : distinct)
        lines.push_back({.x = {0, std::ranges::max(steps)},
                         .y = {value, value},
                         .group = group,
                         .title = fmt::format("{}: {}", name, plot::value_text(value))});
}

// Energy distance of the validation checks over the steps, with the levels of the simple models. Empty
// without checks.
std::vector<Figure> validation_figures(const std::vector<eval::Results>& results,
                                       const Comparison& comparison) {
    Figure figure{.name = "validation energy",
                  .title = "Validation energy",
                  .sign = plot::Sign::line,
                  .note =
                      "Energy distance of the average weights on a sample of the validation pairs, scored "
                      "during the training."};
    std::vector<plot::Line> lines;
    std::vector<double> steps;
    std::vector<double> mean_shifts;
    std::vector<double> moment_maps;
    std::size_t model = 0;
    for (const ComparisonRow& row : comparison.rows) {
        if (!row.is_model()) continue;
        const std::size_t group = model++;  // a model has the same colour in all charts
        for (const std::size_t file : row.results) {
            const h5::DataFrame& checks = results[file].validation;
            if (checks.rows() == 0) continue;
            if (figure.groups.empty() || figure.groups.back() != group) {
                figure.legend.push_back(row.label());
                figure.groups.push_back(group);
            }
            const h5::DataFrame::Ints& at = checks.ints("step");
            lines.push_back(
                {.x = {at.begin(), at.end()},
                 .y = checks.doubles("energy"),
                 .group = group,
                 .title = fmt::format("{}, seed {}", row.label(), results[file].provenance.seed)});
            steps.insert(steps.end(), at.begin(), at.end());
            mean_shifts.push_back(checks.doubles("mean_shift").front());
            moment_maps.push_back(checks.doubles("moment_map").front());
        }
    }
    if (lines.empty()) return {};
    for (const auto& [name, values] : {std::pair{"mean_shift", &mean_shifts}, {"moment_map", &moment_maps}}) {
        figure.legend.emplace_back(name);
        figure.groups.push_back(model);
        add_level(name, model++, *values, steps, lines);
    }
    std::vector<double> energies;
    for (const plot::Line& line : lines) energies.insert(energies.end(), line.y.begin(), line.y.end());
    figure.charts = {plot::line_chart("Validation energy over steps", plot::linear_axis("step", steps),
                                      plot::linear_axis("validation energy", energies), lines)};
    return {figure};
}

}  // namespace

std::vector<Figure> training_figures(const std::vector<eval::Results>& results,
                                     const Comparison& comparison) {
    Texts losses;
    for (const ComparisonRow& row : comparison.rows) {
        if (row.is_model() && std::ranges::find(losses, loss_of(row.method)) == losses.end())
            losses.push_back(loss_of(row.method));
    }
    std::vector<Figure> figures;
    const auto add = [&](const Curve& curve, const std::string& loss) {
        std::ranges::move(
            training_figures_of(results, comparison, curve, loss, losses.size() < 2 || loss.empty()),
            std::back_inserter(figures));
    };
    for (const std::string& loss : losses) add({"loss", "Training loss", true}, loss);
    std::ranges::move(validation_figures(results, comparison), std::back_inserter(figures));
    for (const std::string& loss : losses) add({"grad_norm", "Gradient norm", true}, loss);
    add({"lr", "Learning rate", false}, "");
    return figures;
}

std::vector<Figure> scatter_figures(const std::vector<PairStatistics>& pairs, const std::string& metric,
                                    const std::string& label, const std::string& baseline,
                                    const std::string& note) {
    // The colour of a single treatment would carry no information.
    const auto coloured = labels_of(pairs, &PairStatistics::treatment).size() > 1 ? &PairStatistics::treatment
                                                                                  : &PairStatistics::patient;
    const Texts groups = labels_of(pairs, coloured);
    std::vector<plot::Mark> marks;
    std::vector<double> values;
    for (const PairStatistics& pair : pairs) {
        plot::Mark mark{.x = pair.mean(baseline), .y = pair.mean("model")};
        if (std::isnan(mark.x) || std::isnan(mark.y)) continue;
        mark.group = index_of(groups, pair.*coloured);
        mark.title =
            fmt::format("{}\nmodel: {}, {}: {}, noise floor: {}", pair.name, plot::value_text(mark.y),
                        baseline, plot::value_text(mark.x), plot::value_text(pair.mean("noise_floor")));
        values.insert(values.end(), {mark.x, mark.y});
        marks.push_back(std::move(mark));
    }
    if (marks.empty()) return {};
    const std::string name = core::upper_case(metric);
    return {{.name = name + " per pair against " + baseline,
             .title = name + " per pair, model against " + baseline,
             .charts = {plot::scatter_chart(name + " of " + label + " per pair, against " + baseline,
                                            plot::linear_axis(name + " of " + baseline, values),
                                            plot::linear_axis(name + " of the model", values), marks, true)},
             .legend = groups,
             .note = note}};
}

double largest_excess(const std::vector<PairStatistics>& pairs) {
    double largest = 0;
    for (const auto& [rows, columns] : heat_maps(pairs)) {
        for (const auto& [key, cell_pairs] : group_pairs(pairs, rows.member, columns.member)) {
            if (const double value = mean_excess(cell_pairs, "model"); value > largest) largest = value;
        }
    }
    return largest;
}

std::vector<Figure> heat_figures(const std::vector<PairStatistics>& pairs, const std::string& metric,
                                 const std::string& label, double high, const RoleColumns& columns_by_role) {
    if (std::ranges::all_of(
            pairs, [](const PairStatistics& pair) { return std::isnan(mean_excess({&pair}, "model")); }))
        return {};
    std::vector<Figure> figures;
    for (const auto& [rows, columns] : heat_maps(pairs)) {
        const bool several =
            labels_of(pairs, rows.member).size() > 1 && labels_of(pairs, columns.member).size() > 1;
        if (!figures.empty() && !several) continue;
        figures.push_back(heat_figure(pairs, column_of(columns_by_role, rows.role),
                                      column_of(columns_by_role, columns.role), rows, columns,
                                      core::upper_case(metric), label, high));
    }
    return figures;
}

std::vector<Figure> embedding_figures(const eval::Results& results, const std::string& label,
                                      const RoleColumns& columns) {
    if (results.embeddings.cols() < 2) return {};
    const linalg::Matrix<float> embeddings = all_embeddings(results);
    if (embeddings.rows() < 3) return {};
    const auto components = linalg::principal_components(embeddings.view(), 2);
    const std::vector<EmbeddedPopulation> populations = embedded_populations(results, components);
    if (populations.size() < 3 || !(components.share[0] > 0)) return {};
    std::vector<double> xs;
    std::vector<double> ys;
    for (const EmbeddedPopulation& p : populations) {
        xs.push_back(p.x);
        ys.push_back(p.y);
    }
    const plot::Axis x =
        plot::linear_axis("PC 1 (" + core::percent_text(components.share[0]) + " of variance)", xs);
    const plot::Axis y = plot::linear_axis("PC 2 (" + core::percent_text(components.share[1]) + ")", ys);
    const Texts parts = labels_of(populations, &EmbeddedPopulation::part);
    const bool rings = parts.size() > 1 && std::ranges::find(parts, "train") != parts.end();
    // There is no colouring by treatment: all treatments of an experiment share a control and its embedding.
    const std::pair<std::string, std::string EmbeddedPopulation::*> colourings[] = {
        {"part", &EmbeddedPopulation::part},
        {column_of(columns, "patient"), &EmbeddedPopulation::patient},
        {column_of(columns, "culture"), &EmbeddedPopulation::culture}};
    std::vector<Figure> figures;
    for (const auto& [name, member] : colourings) {
        const Texts labels = labels_of(populations, member);
        if (labels.size() < 2) continue;
        std::vector<plot::Mark> marks;
        for (const EmbeddedPopulation& p : populations) {
            marks.push_back({.x = p.x,
                             .y = p.y,
                             .group = index_of(labels, p.*member),
                             .title = p.name + " (" + p.part + ")",
                             .is_ringed = rings && p.part != "train"});
        }
        // Held-out populations are on top of the training populations.
        std::stable_partition(marks.begin(), marks.end(),
                              [](const plot::Mark& mark) { return !mark.is_ringed; });
        figures.push_back(
            {.name = "embeddings by " + name,
             .title = "Embeddings of control populations by " + name,
             .charts = {plot::scatter_chart("Embeddings of " + label + " by " + name, x, y, marks, false)},
             .legend = labels,
             .note = rings ? "Outlined: populations that were not trained on." : ""});
    }
    return figures;
}

}  // namespace popflow::report
