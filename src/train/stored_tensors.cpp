// SPDX-License-Identifier: MIT
#include "train/stored_tensors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace popflow::train {

void write_matrix(h5::Group& group, const std::string& name, linalg::ConstMatrixView<float> m) {
    group.write(name, std::span<const float>(m.data, m.rows * m.cols), {m.rows, m.cols});
}

namespace {

template <class Real>
linalg::Matrix<Real> read_matrix_of(const h5::Group& group, const std::string& name) {
    const h5::Dataset dataset = group.open_dataset(name);
    if (dataset.rank() != 2) {
        throw core::DataError(
            group.file(), dataset.path(),
            fmt::format("has {} dimensions instead of 2. The file is damaged or of another program",
                        dataset.rank()));
    }
    linalg::Matrix<Real> m(dataset.shape()[0], dataset.shape()[1]);
    dataset.read_rows(0, m.rows(), m.values());
    return m;
}

}  // namespace

linalg::Matrix<float> read_matrix(const h5::Group& group, const std::string& name) {
    return read_matrix_of<float>(group, name);
}

linalg::Matrix<double> read_double_matrix(const h5::Group& group, const std::string& name) {
    return read_matrix_of<double>(group, name);
}

void check_matrix(const h5::Group& parent, const std::string& name, std::span<const std::size_t> shape,
                  std::size_t rows, std::size_t cols) {
    if (shape.size() == 2 && shape[0] == rows && shape[1] == cols) return;
    std::string found;
    for (const std::size_t n : shape) found += (found.empty() ? "" : " x ") + std::to_string(n);
    throw core::DataError(
        parent.file(), name,
        fmt::format("has {} values instead of {} x {}. The file is damaged or of another model", found, rows,
                    cols));
}

void write_tensors(h5::Group& parent, const std::string& name, const nn::ParameterLayout& layout,
                   std::span<const float> buffer) {
    h5::Group group = parent.create_group(name);
    for (const nn::Tensor& tensor : layout.tensors())
        write_matrix(group, tensor.name, matrix_of(buffer, tensor));
}

linalg::AlignedVector<float> read_tensors(const h5::Group& parent, const std::string& name,
                                          const nn::ParameterLayout& layout) {
    const h5::Group group = parent.open_group(name);
    // Checks all tensors before the allocation, since the file may claim sizes that its datasets do not have.
    for (const nn::Tensor& tensor : layout.tensors()) {
        const h5::Dataset dataset = group.open_dataset(tensor.name);
        check_matrix(parent, name + "/" + tensor.name, dataset.shape(), tensor.rows, tensor.cols);
    }
    linalg::AlignedVector<float> buffer(layout.size(), 0.0F);
    for (const nn::Tensor& tensor : layout.tensors()) {
        const linalg::Matrix<float> m = read_matrix(group, tensor.name);
        std::ranges::copy(m.values(), nn::elements_of(std::span<float>(buffer), tensor).begin());
    }
    return buffer;
}

std::size_t read_size(const h5::Group& group, const char* name, std::size_t max) {
    const std::int64_t found = group.int_attribute(name);
    if (found < 0 || static_cast<std::size_t>(found) > max)
        throw core::DataError(
            group.file(), name,
            fmt::format("found {}, which is not in 0 to {}. The file is damaged", found, max));
    return static_cast<std::size_t>(found);
}

}  // namespace popflow::train
