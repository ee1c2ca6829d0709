// SPDX-License-Identifier: MIT
#include "nn/parameters.hpp"

#include <algorithm>
#include <cassert>

namespace popflow::nn {

const Tensor& ParameterLayout::add(const std::string& name, std::size_t rows, std::size_t cols) {
    assert(std::none_of(tensors_.begin(), tensors_.end(), [&](const Tensor& t) { return t.name == name; }));
    constexpr std::size_t step = 16;
    tensors_.push_back({name, size_, rows, cols});
    size_ += (rows * cols + step - 1) / step * step;
    return tensors_.back();
}

std::size_t ParameterLayout::count() const {
    std::size_t n = 0;
    for (const Tensor& tensor : tensors_) n += tensor.size();
    return n;
}

const Tensor& ParameterLayout::find(const std::string& name) const {
    for (const Tensor& tensor : tensors_) {
        if (tensor.name == name) return tensor;
    }
    throw core::Error("parameters: no tensor named '" + name + "'");
}

}  // namespace popflow::nn
