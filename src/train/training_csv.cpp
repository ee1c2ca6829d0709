// SPDX-License-Identifier: MIT
#include "train/training_csv.hpp"

#include <cerrno>
#include <initializer_list>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::train {

namespace {

const char* csv_header(const TrainingRow* /*kind*/) {
    return "step,epoch,loss,lr,grad_norm,seconds\n";
}

const char* csv_header(const ValidationRow* /*kind*/) {
    return "step,energy,w2,mean_shift,moment_map,pairs,cells,evaluations\n";
}

std::string csv_fields(std::initializer_list<double> values) {
    std::string text;
    for (const double value : values) text += "," + core::number_label(value);
    return text;
}

std::string csv_line(const TrainingRow& row) {
    return std::to_string(row.step) +
           csv_fields({row.epoch, row.loss, row.rate, row.gradient_norm, row.seconds}) + "\n";
}

std::string csv_line(const ValidationRow& row) {
    std::string line =
        std::to_string(row.step) + csv_fields({row.energy, row.w2, row.mean_shift, row.moment_map});
    for (const std::uint64_t count : {row.pairs, row.cells, row.evaluations})
        line += "," + std::to_string(count);
    return line + "\n";
}

}  // namespace

template <class Row>
TableCsv<Row>::TableCsv(const std::string& path, const std::vector<Row>& rows) : path_(path) {
    errno = 0;
    out_.open(path, std::ios::trunc);
    out_ << csv_header(static_cast<const Row*>(nullptr));
    for (const Row& row : rows) out_ << csv_line(row);
    out_.flush();
    check();
}

template <class Row>
void TableCsv<Row>::append(const Row& row) {
    errno = 0;
    out_ << csv_line(row) << std::flush;
    check();
}

template <class Row>
void TableCsv<Row>::check() const {
    if (out_) return;
    const int code = errno != 0 ? errno : EIO;  // a stream does not always set errno
    throw core::WriteError(path_, "cannot write: " + std::generic_category().message(code));
}

template class TableCsv<TrainingRow>;
template class TableCsv<ValidationRow>;

}  // namespace popflow::train
