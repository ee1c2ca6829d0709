// SPDX-License-Identifier: MIT
// Writes the table that read_table.py checks. Usage: write_table FILE
#include <limits>

#include "h5/dataframe.hpp"
#include "h5/file.hpp"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    popflow::h5::DataFrame table;
    table.add("pair", std::vector<std::int64_t>{3, -1, 9007199254740993});
    table.add("w1", std::vector<double>{0.5, std::numeric_limits<double>::quiet_NaN(), 1e-300});
    table.add_bools("ok", {1, 0, 1});
    table.add("message", std::vector<std::string>{"", "Zürich", "a, \"b\""});
    table.add_categorical("culture", {"PDO", "F", "PDO"});
    popflow::h5::AtomicFile file(argv[1]);
    popflow::h5::Group root = file.root();
    popflow::h5::write_dataframe(root, "pairs", table, {.deflate = 4});
    popflow::h5::DataFrame empty;
    empty.add("w1", std::vector<double>{});
    empty.add_categorical("culture", {});
    popflow::h5::write_dataframe(root, "empty", empty);
    popflow::h5::write_dataframe(root, "nothing", popflow::h5::DataFrame());
    file.commit();
    return 0;
}
