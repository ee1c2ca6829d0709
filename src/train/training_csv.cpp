// SPDX-License-Identifier: MIT
#include "train/training_csv.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::train {

namespace {

std::string csv_line(const TrainingRow& row) {
    std::string line = std::to_string(row.step);
    for (const double value : {row.epoch, row.loss, row.rate, row.gradient_norm, row.seconds})
        line += "," + core::number_label(value);
    return line + "\n";
}

}  // namespace

TrainingCsv::TrainingCsv(const std::string& path, const std::vector<TrainingRow>& rows)
    : path_(path), out_(path, std::ios::trunc) {
    out_ << "step,epoch,loss,lr,grad_norm,seconds\n";
    for (const TrainingRow& row : rows) out_ << csv_line(row);
    out_.flush();
    check();
}

void TrainingCsv::append(const TrainingRow& row) {
    out_ << csv_line(row) << std::flush;
    check();
}

void TrainingCsv::check() const {
    if (!out_) throw core::DataError(path_, "", "cannot be written");
}

}  // namespace popflow::train
