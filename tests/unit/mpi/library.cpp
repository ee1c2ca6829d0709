// SPDX-License-Identifier: MIT
// Shared library that test_loaded_libraries.cpp loads and closes.
extern "C" int popflow_test_library() {
    return 1;
}
