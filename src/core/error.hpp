// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace popflow::core {

/// Base class of all exceptions of the library.
///
/// A caller distinguishes two kinds: a `UserError` is one that the user can fix (exit code 2). Any other
/// `Error` means that the run failed (exit code 1).
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The user's input is wrong: usage, configuration or data file.
class UserError : public Error {
  public:
    using Error::Error;
};

/// A data file, or one field of it, is invalid. `what()` is `file: field: problem`, where the problem says
/// what was found and what to do.
class DataError : public UserError {
  public:
    DataError(std::string file_name, std::string field_name, const std::string& problem)
        : UserError(file_name + (field_name.empty() ? "" : ": " + field_name) + ": " + problem),
          file(std::move(file_name)),
          field(std::move(field_name)) {}
    std::string file;   ///< path as given by the user
    std::string field;  ///< dataset, column or attribute; may be empty
};

/// An option or configuration key has a value that is not allowed. `what()` is `key: problem`.
class ConfigError : public UserError {
  public:
    ConfigError(std::string key_name, const std::string& problem)
        : UserError(key_name + ": " + problem), key(std::move(key_name)) {}
    std::string key;
};

/// A matrix does not have the shape that an operation needs. Example of `what()`:
/// `linear.x: expected [*, 50], got [512, 48]`.
class ShapeMismatch : public Error {
  public:
    ShapeMismatch(const std::string& name, const std::string& expected, std::size_t rows, std::size_t cols)
        : Error(name + ": expected " + expected + ", got [" + std::to_string(rows) + ", " +
                std::to_string(cols) + "]") {}
};

/// A write failed, or a file could not be created, because the disk is full or failed (I/O error).
/// `what()` is `file: problem`, such as `file: cannot write: ...`.
class WriteError : public Error {
  public:
    WriteError(std::string file_name, const std::string& problem)
        : Error(file_name + ": " + problem), file(std::move(file_name)) {}
    std::string file;  ///< final path, not the temporary one that is written first
};

/// A computation produced a value that is not finite, or did not converge. `what()` is `where: problem`.
class NumericalError : public Error {
  public:
    NumericalError(std::string place, std::string found)
        : Error(place + ": " + found), where(std::move(place)), problem(std::move(found)) {}
    std::string where;
    std::string problem;
};

/// An MPI call failed.
class MpiError : public Error {
  public:
    MpiError(std::string call_name, int error_code, const std::string& text)
        : Error(call_name + ": " + text), call(std::move(call_name)), code(error_code) {}
    std::string call;
    int code;
};

/// Throws ShapeMismatch unless a matrix of `rows` x `cols` has the wanted shape.
inline void check_shape(const char* name, std::size_t rows, std::size_t cols, std::size_t want_rows,
                        std::size_t want_cols) {
    if (rows != want_rows || cols != want_cols) {
        throw ShapeMismatch(name, "[" + std::to_string(want_rows) + ", " + std::to_string(want_cols) + "]",
                            rows, cols);
    }
}

inline void check_shape(const std::string& name, std::size_t rows, std::size_t cols, std::size_t want_rows,
                        std::size_t want_cols) {
    check_shape(name.c_str(), rows, cols, want_rows, want_cols);
}

}  // namespace popflow::core
