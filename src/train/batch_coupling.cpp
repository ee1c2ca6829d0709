// SPDX-License-Identifier: MIT
#include "train/batch_coupling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/error.hpp"
#include "mpi/partition.hpp"
#include "ot/coupling.hpp"

namespace popflow::train {

using linalg::ConstMatrixView;

BatchCoupling::BatchCoupling(std::size_t slots, const mpi::Communicator& communicator)
    : communicator_(communicator), lengths_(slots, 0), targets_(slots) {}

void BatchCoupling::add(std::size_t slot, std::span<const float> condition, ConstMatrixView<float> base,
                        ConstMatrixView<float> target) {
    core::check_shape("train.batch_coupling.target", target.rows, target.cols, base.rows, base.cols);
    condition_size_ = condition.size();
    n_markers_ = base.cols;
    own_slots_.push_back(slot);
    const std::size_t before = own_records_.size();
    own_records_.insert(own_records_.end(), condition.begin(), condition.end());
    for (const ConstMatrixView<float>& cells : {base, target}) {
        for (std::size_t i = 0; i < cells.rows; ++i) {
            own_records_.insert(own_records_.end(), cells.row(i), cells.row(i) + cells.cols);
        }
    }
    lengths_[slot] = static_cast<std::int64_t>(own_records_.size() - before);
}

void BatchCoupling::exchange() {
    communicator_.sum(std::span<std::int64_t>(lengths_));
    bounds_.assign(1, 0);
    for (int rank = 0; rank < communicator_.size(); ++rank) {
        std::size_t length = 0;
        for (const std::size_t slot : mpi::lanes_of_rank(lengths_.size(), rank, communicator_.size())) {
            length += static_cast<std::size_t>(lengths_[slot]);
        }
        bounds_.push_back(bounds_.back() + length);
    }
    if (bounds_.back() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw core::NumericalError("coupling-scope condition",
                                   fmt::format("the cells of a batch have {} values, but MPI transfers at "
                                               "most 2147483647. Reduce --cells or --batch-pairs",
                                               bounds_.back()));
    }
    records_.resize(bounds_.back());
    std::ranges::copy(own_records_,
                      records_.data() + bounds_[static_cast<std::size_t>(communicator_.rank())]);
    communicator_.all_gather(records_, bounds_);
}

BatchCoupling::Record BatchCoupling::record(std::size_t slot, const float* first) const {
    const auto length = static_cast<std::size_t>(lengths_[slot]);
    const std::size_t n = (length - condition_size_) / (2 * n_markers_);
    const float* cells = first + condition_size_;
    return {{first, condition_size_}, {cells, n, n_markers_}, {cells + n * n_markers_, n, n_markers_}};
}

void BatchCoupling::couple() {
    exchange();
    std::vector<Record> records(lengths_.size());
    for (int rank = 0; !own_slots_.empty() && rank < communicator_.size(); ++rank) {
        const float* first = records_.data() + bounds_[static_cast<std::size_t>(rank)];
        for (const std::size_t slot : mpi::lanes_of_rank(lengths_.size(), rank, communicator_.size())) {
            records[slot] = record(slot, first);
            first += lengths_[slot];
        }
    }
    std::vector<bool> done(lengths_.size(), false);
    for (const std::size_t slot : own_slots_) {
        if (done[slot]) continue;
        std::vector<std::size_t> group;
        for (std::size_t other = 0; other < records.size(); ++other) {
            if (!std::ranges::equal(records[other].condition, records[slot].condition)) continue;
            group.push_back(other);
            done[other] = true;
        }
        couple_group(group, records);
    }
    std::ranges::fill(lengths_, 0);
    own_slots_.clear();
    own_records_.clear();
}

// Solves one condition. The cells are in the order of the slots, so the result does not depend on the ranks.
void BatchCoupling::couple_group(std::span<const std::size_t> group, std::span<const Record> records) {
    std::size_t n = 0;
    for (const std::size_t slot : group) n += records[slot].base.rows;
    base_.reshape(n, n_markers_);
    target_.reshape(n, n_markers_);
    std::size_t row = 0;
    for (const std::size_t slot : group) {
        const Record& from = records[slot];
        std::copy_n(from.base.data, from.base.rows * n_markers_, base_.view().row(row));
        std::copy_n(from.target.data, from.target.rows * n_markers_, target_.view().row(row));
        row += from.base.rows;
    }
    std::vector<std::uint32_t> partner;
    try {
        partner = ot::optimal_partners(base_.view(), target_.view());
    } catch (const core::NumericalError&) {
        for (const std::size_t slot : group) targets_[slot].reshape(0, 0);
        return;
    }
    row = 0;
    for (const std::size_t slot : group) {
        const std::size_t count = records[slot].base.rows;
        if (std::ranges::find(own_slots_, slot) != own_slots_.end()) {
            targets_[slot].reshape(count, n_markers_);
            for (std::size_t i = 0; i < count; ++i) {
                std::copy_n(target_.view().row(partner[row + i]), n_markers_, targets_[slot].view().row(i));
            }
        }
        row += count;
    }
}

}  // namespace popflow::train
