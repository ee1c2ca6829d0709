// SPDX-License-Identifier: MIT
#include "train/training_csv.hpp"

#include <cerrno>
#include <system_error>

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

TrainingCsv::TrainingCsv(const std::string& path, const std::vector<TrainingRow>& rows) : path_(path) {
    errno = 0;
    out_.open(path, std::ios::trunc);
    out_ << "step,epoch,loss,lr,grad_norm,seconds\n";
    for (const TrainingRow& row : rows) out_ << csv_line(row);
    out_.flush();
    check();
}

void TrainingCsv::append(const TrainingRow& row) {
    errno = 0;
    out_ << csv_line(row) << std::flush;
    check();
}

void TrainingCsv::check() const {
    if (out_) return;
    const int code = errno != 0 ? errno : EIO;  // a stream does not always set errno
    throw core::WriteError(path_, "cannot write: " + std::generic_category().message(code));
}

}  // namespace popflow::train
