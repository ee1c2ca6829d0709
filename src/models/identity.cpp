// SPDX-License-Identifier: MIT
#include "models/identity.hpp"

#include "core/error.hpp"

namespace popflow::models {

namespace {

class IdentityFamily : public Family {
  public:
    std::string name() const override { return "identity"; }
    std::string summary() const override { return "the control cells themselves, without a training"; }
    std::unique_ptr<Settings> make_settings() const override { return std::make_unique<IdentitySettings>(); }
    OptionValues fixed(const Settings& /*settings*/) const override { return no_start_options; }
    std::unique_ptr<Model> make(const Settings& /*settings*/, const DataShape& /*data*/,
                                const Constants& /*constants*/,
                                linalg::Precision /*precision*/) const override {
        return std::make_unique<Identity>();
    }
};

double column_mean(linalg::ConstMatrixView<float> x, std::size_t column) {
    double sum = 0;
    for (std::size_t i = 0; i < x.rows; ++i) sum += static_cast<double>(x(i, column));
    return sum / static_cast<double>(x.rows);
}

}  // namespace

void Identity::summarise(const PairCells& pair, std::span<double> summary) const {
    core::check_shape("identity.treated", pair.treated.rows, pair.treated.cols, pair.treated.rows,
                      pair.control.cols);
    summary[0] = 0;
    for (std::size_t j = 0; j < pair.control.cols; ++j) {
        const double shift = column_mean(pair.treated, j) - column_mean(pair.control, j);
        summary[0] += shift * shift;
    }
}

double Identity::fit(linalg::ConstMatrixView<double> summaries, std::span<float> /*values*/) const {
    double sum = 0;
    for (std::size_t p = 0; p < summaries.rows; ++p) sum += summaries(p, 0);
    return sum / static_cast<double>(summaries.rows);
}

ode::Statistics Identity::transport(std::span<const float> /*values*/, std::span<const float> /*context*/,
                                    std::span<const float> /*condition*/, const ode::Options& /*options*/,
                                    linalg::MatrixView<float> /*x*/) const {
    return {};
}

const Family* identity_family() {
    static const IdentityFamily family;
    return &family;
}

}  // namespace popflow::models
