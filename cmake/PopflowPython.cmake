# SPDX-License-Identifier: MIT
# Finds what the Python package needs: Python with its headers, and nanobind of the same interpreter. Sets
# POPFLOW_HAS_NANOBIND, and POPFLOW_PYTHON_NOTE to the reason if one of them is missing.
set(POPFLOW_HAS_NANOBIND OFF)
if(NOT SKBUILD AND NOT Python_EXECUTABLE)
  # scripts/install_dependencies.sh --tests makes this environment, since Debian 12 has no package of nanobind.
  find_program(POPFLOW_PYTHON_EXECUTABLE python3 PATHS ${PROJECT_SOURCE_DIR}/build/venv/bin NO_DEFAULT_PATH)
  if(POPFLOW_PYTHON_EXECUTABLE)
    set(Python_EXECUTABLE ${POPFLOW_PYTHON_EXECUTABLE})
  endif()
endif()
find_package(Python 3.10 COMPONENTS Interpreter Development.Module)
if(NOT Python_FOUND)
  set(POPFLOW_PYTHON_NOTE "Python 3.10 or later with its headers (python3-dev) was not found")
  return()
endif()
execute_process(COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir
                OUTPUT_VARIABLE nanobind_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
find_package(nanobind 3 CONFIG QUIET)
if(NOT nanobind_FOUND)
  set(POPFLOW_PYTHON_NOTE "${Python_EXECUTABLE} has no nanobind: pip install nanobind")
  return()
endif()
set(POPFLOW_HAS_NANOBIND ON)
