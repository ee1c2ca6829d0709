// SPDX-License-Identifier: MIT
#include "models/moment_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.hpp"
#include "models/nearest_condition.hpp"
#include "models/population_statistics.hpp"

namespace popflow::models {

using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

class MomentMapFamily : public Family {
  public:
    std::string name() const override { return "moment-map"; }
    std::string summary() const override {
        return "means and standard deviations by kernel ridge regression on the control population's means, "
               "trained in one pass";
    }
    std::unique_ptr<Settings> make_settings() const override { return std::make_unique<MomentMapSettings>(); }
    OptionValues fixed(const Settings& /*settings*/) const override { return no_start_options; }
    std::unique_ptr<Model> make(const Settings& settings, const DataShape& data,
                                const Constants& /*constants*/,
                                linalg::Precision /*precision*/) const override {
        return std::make_unique<MomentMap>(data, dynamic_cast<const MomentMapSettings&>(settings).kernel);
    }
};

void copy_to(std::span<const double> from, std::span<float> to) {
    std::ranges::transform(from, to.begin(), [](double value) { return static_cast<float>(value); });
}

// Tensors of the weights of one regression.
struct RegressionNames {
    const char* mean;
    const char* kernel;   // [conditions, 2] width and penalty, zeros for the infinite penalty
    const char* weights;  // [pairs, d]
};
constexpr RegressionNames shift_names{"shifts", "shift_kernels", "shift_weights"};
constexpr RegressionNames ratio_names{"log_ratios", "log_ratio_kernels", "log_ratio_weights"};

// Writes the regression of one condition.
// @param pairs  indices of its pairs
void store(const linalg::RidgeFit& fit, const RegressionNames& names, const nn::ParameterLayout& layout,
           std::size_t row, std::span<const std::size_t> pairs, std::span<float> values) {
    copy_to(fit.mean, nn::matrix_of(values, layout.find(names.mean)).row_span(row));
    const std::array kernel{fit.width, fit.penalty};
    copy_to(kernel, nn::matrix_of(values, layout.find(names.kernel)).row_span(row));
    const auto weights = nn::matrix_of(values, layout.find(names.weights));
    for (std::size_t i = 0; i < pairs.size(); ++i)
        copy_to(fit.weights.view().row_span(i), weights.row_span(pairs[i]));
}

}  // namespace

void MomentMapSettings::visit(FieldVisitor& visitor) {
    visitor.choice({.name = "moment-kernel",
                    .help = "kernel of moment-map between the means of control populations. Far from the "
                            "training data rbf predicts the mean shift, and linear extrapolates"},
                   kernel, {"linear", "rbf"});
}

MomentMap::MomentMap(const DataShape& data, linalg::RidgeKernel kernel) : data_(data), kernel_(kernel) {
    layout_.add("conditions", data.condition_rows, data.conditions);
    for (const RegressionNames& names : {shift_names, ratio_names}) {
        layout_.add(names.mean, data.condition_rows, data.markers);
        layout_.add(names.kernel, data.condition_rows, 2);
    }
    layout_.add("pair_conditions", data.training_pairs, 1);
    layout_.add("features", data.training_pairs, context_size());
    layout_.add(shift_names.weights, data.training_pairs, data.markers);
    layout_.add(ratio_names.weights, data.training_pairs, data.markers);
}

void MomentMap::summarise(const PairCells& pair, std::span<double> summary) const {
    core::check_shape("moment_map.control", pair.control.rows, pair.control.cols, pair.control.rows,
                      data_.markers);
    core::check_shape("moment_map.treated", pair.treated.rows, pair.treated.cols, pair.treated.rows,
                      data_.markers);
    const std::size_t d = data_.markers;
    std::vector<double> moments(4 * d);
    const std::span<double> all(moments);
    column_moments(pair.control, all.first(d), all.subspan(d, d));
    column_moments(pair.treated, all.subspan(2 * d, d), all.subspan(3 * d, d));
    const std::vector<double> shares = type_shares(pair.control_type, data_.cell_types);
    write_summary({.condition_row = pair.condition_row,
                   .unit = pair.unit,
                   .condition = pair.condition,
                   .type_shares = shares,
                   .control_mean = all.first(d),
                   .control_deviation = all.subspan(d, d),
                   .treated_mean = all.subspan(2 * d, d),
                   .treated_deviation = all.subspan(3 * d, d)},
                  summary);
}

void MomentMap::write_summary(const PairMoments& moments, std::span<double> summary) const {
    summary[0] = static_cast<double>(moments.condition_row);
    summary[1] = static_cast<double>(moments.unit);
    std::ranges::copy(moments.condition, summary.begin() + 2);
    const auto put = [&](std::span<const double> from, std::size_t at) {
        std::ranges::copy(from, summary.subspan(at).begin());
    };
    put(moments.control_mean, features_at());
    put(moments.type_shares, features_at() + data_.markers);
    put(moments.control_deviation, control_deviation_at());
    put(moments.treated_mean, treated_mean_at());
    put(moments.treated_deviation, treated_deviation_at());
}

double MomentMap::fit(ConstMatrixView<double> summaries, std::span<float> values) const {
    std::ranges::fill(values, 0.0F);
    const auto conditions = nn::matrix_of(values, layout_.find("conditions"));
    const auto pair_conditions = nn::matrix_of(values, layout_.find("pair_conditions"));
    const auto features = nn::matrix_of(values, layout_.find("features"));
    std::vector<std::vector<std::size_t>> pairs(data_.condition_rows);
    double deviation = 0;
    for (std::size_t p = 0; p < summaries.rows; ++p) {
        const auto row = static_cast<std::size_t>(summaries(p, 0));
        pairs[row].push_back(p);
        pair_conditions(p, 0) = static_cast<float>(row);
        const std::span<const double> summary = summaries.row_span(p);
        copy_to(summary.subspan(2, data_.conditions), conditions.row_span(row));
        copy_to(summary.subspan(features_at(), context_size()), features.row_span(p));
        for (std::size_t j = 0; j < data_.markers; ++j) deviation += summary[control_deviation_at() + j];
    }
    const double offset = relative_offset * deviation / static_cast<double>(summaries.rows * data_.markers);
    double loss = 0;
    for (const std::vector<std::size_t>& own : pairs) {
        if (!own.empty()) loss += fit_condition(summaries, own, offset, values);
    }
    return loss / static_cast<double>(summaries.rows);
}

// Fits the regressions of the condition of some pairs. Returns the sum of their squared errors of the shift.
double MomentMap::fit_condition(ConstMatrixView<double> summaries, std::span<const std::size_t> pairs,
                                double offset, std::span<float> values) const {
    const std::size_t n = pairs.size();
    const std::size_t d = data_.markers;
    Matrix<double> features(n, context_size());
    Matrix<double> shifts(n, d);
    Matrix<double> ratios(n, d);
    std::vector<std::size_t> units;
    double ratio_norm = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const std::span<const double> summary = summaries.row_span(pairs[i]);
        units.push_back(static_cast<std::size_t>(summary[1]));
        std::ranges::copy(summary.subspan(features_at(), context_size()), features.view().row(i));
        for (std::size_t j = 0; j < d; ++j) {
            shifts(i, j) = summary[treated_mean_at() + j] - summary[features_at() + j];
            const double treated = summary[treated_deviation_at() + j] + offset;
            const double control = summary[control_deviation_at() + j] + offset;
            // Both are 0 if all populations are constant.
            ratios(i, j) = control > 0 && treated > 0 ? std::log(treated / control) : 0;
            ratio_norm += ratios(i, j) * ratios(i, j);
        }
    }
    const std::array<ConstMatrixView<double>, 2> targets{shifts.view(), ratios.view()};
    std::vector<linalg::RidgeFit> fits = linalg::fit_kernel_ridge(features, units, kernel_, targets);
    const auto row = static_cast<std::size_t>(summaries(pairs.front(), 0));
    store(fits[0], shift_names, layout_, row, pairs, values);
    if (fits[1].error < ratio_norm) store(fits[1], ratio_names, layout_, row, pairs, values);
    return fits[0].training_error;
}

std::vector<float> MomentMap::context(std::span<const float> /*values*/, ConstMatrixView<float> control,
                                      std::span<const std::uint8_t> control_type) const {
    core::check_shape("moment_map.control", control.rows, control.cols, control.rows, data_.markers);
    std::vector<double> moments(2 * data_.markers);
    const std::span<double> mean = std::span(moments).first(data_.markers);
    column_moments(control, mean, std::span(moments).subspan(data_.markers));
    std::vector<float> context(context_size());
    copy_to(mean, std::span(context).first(data_.markers));
    copy_to(type_shares(control_type, data_.cell_types), std::span(context).subspan(data_.markers));
    return context;
}

MomentChange MomentMap::change(std::span<const float> values, std::span<const float> context,
                               std::size_t condition_row) const {
    core::check_shape("moment_map.context", 1, context.size(), 1, context_size());
    const auto pair_conditions = nn::matrix_of(values, layout_.find("pair_conditions"));
    std::vector<std::size_t> pairs;
    for (std::size_t p = 0; p < data_.training_pairs; ++p) {
        if (pair_conditions(p, 0) == static_cast<float>(condition_row)) pairs.push_back(p);
    }
    Matrix<float> features(pairs.size(), context_size());
    const auto all_features = nn::matrix_of(values, layout_.find("features"));
    for (std::size_t i = 0; i < pairs.size(); ++i)
        std::ranges::copy(all_features.row_span(pairs[i]), features.view().row(i));

    const auto predict = [&](const RegressionNames& names) {
        const auto mean = nn::matrix_of(values, layout_.find(names.mean)).row_span(condition_row);
        std::vector<double> sum(mean.begin(), mean.end());
        const auto kernel = nn::matrix_of(values, layout_.find(names.kernel));
        if (kernel(condition_row, 1) == 0) return sum;
        const std::vector<double> k =
            linalg::ridge_kernel(features, context, kernel_, static_cast<double>(kernel(condition_row, 0)));
        const auto weights = nn::matrix_of(values, layout_.find(names.weights));
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            for (std::size_t j = 0; j < sum.size(); ++j)
                sum[j] += k[i] * static_cast<double>(weights(pairs[i], j));
        }
        return sum;
    };
    return {predict(shift_names), predict(ratio_names)};
}

std::size_t MomentMap::condition_row(std::span<const float> values, std::span<const float> condition) const {
    core::check_shape("moment_map.condition", 1, condition.size(), 1, data_.conditions);
    return nearest_condition(nn::matrix_of(values, layout_.find("conditions")), condition);
}

ConstMatrixView<float> MomentMap::features(std::span<const float> values) const {
    return nn::matrix_of(values, layout_.find("features"));
}

ode::Statistics MomentMap::transport(std::span<const float> values, std::span<const float> context,
                                     std::span<const float> condition, const ode::Options& /*options*/,
                                     MatrixView<float> x) const {
    apply_change(change(values, context, condition_row(values, condition)), context.first(data_.markers), x);
    return {};
}

MomentMap make_moment_map_baseline(DataShape data) {
    data.cell_types = 0;
    return {data, linalg::RidgeKernel::rbf};
}

const Family* moment_map_family() {
    static const MomentMapFamily family;
    return &family;
}

}  // namespace popflow::models
