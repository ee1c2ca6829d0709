// SPDX-License-Identifier: MIT
#include "models/model.hpp"

#include <gtest/gtest.h>

namespace linalg = popflow::linalg;
namespace models = popflow::models;
namespace ode = popflow::ode;

namespace {

// A model without a flow that maps x to 3 x.
class Tripling : public models::CellTransport {
  public:
    ode::Statistics transport(std::span<const float>, std::span<const float>, std::span<const float>,
                              const ode::Options&, linalg::MatrixView<float> x) const override {
        for (std::size_t i = 0; i < x.rows; ++i) {
            for (float& v : x.row_span(i)) v *= 3;
        }
        return {};
    }
};

}  // namespace

TEST(CellTransport, TrajectoryWithoutAFlowIsAStraightLine) {
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
