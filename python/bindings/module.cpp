// SPDX-License-Identifier: MIT
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <string>

#include "bindings.hpp"
#include "core/cancellation.hpp"
#include "core/error.hpp"
#include "core/utf8.hpp"
#include "core/version.hpp"
#include "popflow/popflow.hpp"

namespace nb = nanobind;

namespace popflow::python {

namespace {

// Sets the exception of Python for an error of the library, with the line that the program prints.
void set_error(PyObject* type, const char* text) {
    PyErr_SetString(type, core::printable(text).c_str());
}

// Returns the exception for a file that is missing or cannot be read, ValueError for one with invalid
// content.
PyObject* file_error(const std::string& file) {
    if (::access(file.c_str(), R_OK) == 0) return PyExc_ValueError;
    if (errno == ENOENT) return PyExc_FileNotFoundError;
    return errno == EACCES ? PyExc_PermissionError : PyExc_OSError;
}

void translate(const std::exception_ptr& thrown, void* /*payload*/) {
    try {
        std::rethrow_exception(thrown);
    } catch (const core::Cancelled& error) {
        PyErr_SetNone(PyExc_KeyboardInterrupt);
    } catch (const core::DataError& error) {
        set_error(file_error(error.file), error.what());
    } catch (const core::UserError& error) {
        set_error(PyExc_ValueError, error.what());
    } catch (const core::ShapeMismatch& error) {
        set_error(PyExc_ValueError, error.what());
    } catch (const InvalidInput& error) {
        set_error(PyExc_ValueError, error.what());
    } catch (const core::WriteError& error) {
        set_error(PyExc_OSError, error.what());
    } catch (const core::Error& error) {
        set_error(PyExc_RuntimeError, error.what());
    } catch (const Exception& error) {
        set_error(PyExc_RuntimeError, error.what());
    }
}

}  // namespace

}  // namespace popflow::python

NB_MODULE(_core, module) {
    using namespace popflow;
    module.doc() = "Functions of the C++ library. Use the package popflow, which documents and checks them.";
    nb::register_exception_translator(&python::translate);
    module.attr("version") = core::version();
    module.attr("commit") = core::commit();
    python::bind_transport(module);
    python::bind_scores(module);
    python::bind_verbs(module);
    python::bind_models(module);
}
