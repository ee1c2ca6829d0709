// SPDX-License-Identifier: MIT
#include "models/model.hpp"

#include <gtest/gtest.h>

namespace linalg = popflow::linalg;
namespace models = popflow::models;
namespace nn = popflow::nn;
namespace ode = popflow::ode;

namespace {

// A model without a flow that maps x to 3 x.
class Tripling : public models::Model {
  public:
    const nn::ParameterLayout& layout() const override { return layout_; }
    linalg::AlignedVector<float> initial_values(std::uint64_t) const override { return {}; }
    std::unique_ptr<Scratch> make_scratch() const override { return nullptr; }
    double slot_gradient(std::span<const float>, const models::TrainingSlot<float>&, const nn::UpdatePhase&,
                         Scratch&, std::span<float>) const override {
        return 0;
    }
    std::size_t context_size() const override { return 0; }
    std::vector<float> context(std::span<const float>, linalg::ConstMatrixView<float>,
                               std::span<const std::uint8_t>) const override {
        return {};
    }
    ode::Statistics transport(std::span<const float>, std::span<const float>, std::span<const float>,
                              const ode::Options&, linalg::MatrixView<float> x) const override {
        for (std::size_t i = 0; i < x.rows; ++i) {
            for (float& v : x.row_span(i)) v *= 3;
        }
        return {};
    }

  private:
    nn::ParameterLayout layout_;
};

}  // namespace

TEST(Model, TrajectoryWithoutAFlowIsAStraightLine) {
    linalg::Matrix<float> x(2, 1);
    x(0, 0) = 1;
    x(1, 0) = -2;
    linalg::Matrix<float> begin(2, 1);
    linalg::Matrix<float> quarter(2, 1);
    Tripling().trajectory({}, {}, {}, {}, x.view(), {{0, 0.25}, {begin.view(), quarter.view()}});
    EXPECT_EQ(begin(0, 0), 1.0F);
    EXPECT_EQ(quarter(0, 0), 1.5F);
    EXPECT_EQ(quarter(1, 0), -3.0F);
    EXPECT_EQ(x(1, 0), -6.0F);
}
