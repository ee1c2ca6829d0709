// SPDX-License-Identifier: MIT
#include "models/mean_shift.hpp"

#include "core/error.hpp"
#include "models/nearest_condition.hpp"

namespace popflow::models {

namespace {

class MeanShiftFamily : public Family {
  public:
    std::string name() const override { return "mean-shift"; }
    std::string summary() const override { return "mean shift of each treatment, trained in one pass"; }
    std::unique_ptr<Settings> make_settings() const override { return std::make_unique<MeanShiftSettings>(); }
    OptionValues fixed(const Settings& /*settings*/) const override { return no_start_options; }
    std::unique_ptr<Model> make(const Settings& /*settings*/, const DataShape& data,
                                const Constants& /*constants*/,
                                linalg::Precision /*precision*/) const override {
        return std::make_unique<MeanShift>(data);
    }
};

// Adds the mean of each column, times a factor, to `mean`.
void add_mean(linalg::ConstMatrixView<float> cells, double factor, std::span<double> mean) {
    const double share = factor / static_cast<double>(cells.rows);
    for (std::size_t j = 0; j < cells.cols; ++j) {
        double sum = 0;
        for (std::size_t i = 0; i < cells.rows; ++i) sum += static_cast<double>(cells(i, j));
        mean[j] += share * sum;
    }
}

}  // namespace

MeanShift::MeanShift(const DataShape& data) : data_(data) {
    layout_.add("conditions", data.condition_rows, data.conditions);
    layout_.add("shifts", data.condition_rows, data.markers);
}

void MeanShift::summarise(const PairCells& pair, std::span<double> summary) const {
    core::check_shape("mean_shift.control", pair.control.rows, pair.control.cols, pair.control.rows,
                      data_.markers);
    core::check_shape("mean_shift.treated", pair.treated.rows, pair.treated.cols, pair.treated.rows,
                      data_.markers);
    summary[0] = static_cast<double>(pair.condition_row);
    std::ranges::copy(pair.condition, summary.begin() + 1);
    const std::span<double> shift = summary.subspan(1 + data_.conditions);
    std::ranges::fill(shift, 0.0);
    add_mean(pair.treated, 1, shift);
    add_mean(pair.control, -1, shift);
}

double MeanShift::fit(linalg::ConstMatrixView<double> summaries, std::span<float> values) const {
    const auto conditions = nn::matrix_of(values, layout_.find("conditions"));
    const auto shifts = nn::matrix_of(values, layout_.find("shifts"));
    const std::size_t first = 1 + data_.conditions;  // column of the first marker
    linalg::Matrix<double> sums(data_.condition_rows, data_.markers);
    std::vector<double> pairs(data_.condition_rows, 0);
    for (std::size_t p = 0; p < summaries.rows; ++p) {
        const auto row = static_cast<std::size_t>(summaries(p, 0));
        pairs[row] += 1;
        for (std::size_t j = 0; j < data_.conditions; ++j)
            conditions(row, j) = static_cast<float>(summaries(p, 1 + j));
        for (std::size_t j = 0; j < data_.markers; ++j) sums(row, j) += summaries(p, first + j);
    }
    for (std::size_t row = 0; row < data_.condition_rows; ++row) {
        for (std::size_t j = 0; j < data_.markers; ++j) {
            sums(row, j) /= pairs[row];
            shifts(row, j) = static_cast<float>(sums(row, j));
        }
    }
    double loss = 0;
    for (std::size_t p = 0; p < summaries.rows; ++p) {
        const auto row = static_cast<std::size_t>(summaries(p, 0));
        for (std::size_t j = 0; j < data_.markers; ++j) {
            const double error = summaries(p, first + j) - sums(row, j);
            loss += error * error;
        }
    }
    return loss / static_cast<double>(summaries.rows);
}

ode::Statistics MeanShift::transport(std::span<const float> values, std::span<const float> /*context*/,
                                     std::span<const float> condition, const ode::Options& /*options*/,
                                     linalg::MatrixView<float> x) const {
    core::check_shape("mean_shift.condition", 1, condition.size(), 1, data_.conditions);
    core::check_shape("mean_shift.x", x.rows, x.cols, x.rows, data_.markers);
    const auto conditions = nn::matrix_of(values, layout_.find("conditions"));
    const std::size_t nearest = nearest_condition(conditions, condition);
    const std::span<const float> shift = nn::matrix_of(values, layout_.find("shifts")).row_span(nearest);
#pragma omp parallel for
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.cols; ++j) x(i, j) += shift[j];
    }
    return {};
}

const Family* mean_shift_family() {
    static const MeanShiftFamily family;
    return &family;
}

}  // namespace popflow::models
