# SPDX-License-Identifier: MIT
# One interface target carries the language level, the warnings and the sanitizers of every target.
add_library(popflow_options INTERFACE)
target_compile_features(popflow_options INTERFACE cxx_std_20)
target_compile_options(popflow_options INTERFACE
  -Wall -Wextra -Wpedantic
  -Wshadow              # a name that hides another
  -Wconversion          # a number that may lose its value
  -Wnon-virtual-dtor
  -Wno-sign-conversion  # sizes and OpenMP's signed loop counters meet everywhere
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>  # false alarms, GCC bug 105651
  -fno-math-errno       # lets square roots be vectorised; no result changes
  -fno-trapping-math    # lets branches be vectorised; nobody reads the floating-point flags
  $<$<CONFIG:Release>:-O3>
  $<$<BOOL:${POPFLOW_WERROR}>:-Werror>)
if(POPFLOW_FUZZ)
  target_compile_options(popflow_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(POPFLOW_SANITIZE)
  target_compile_options(popflow_options INTERFACE -fsanitize=${POPFLOW_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(popflow_options INTERFACE -fsanitize=${POPFLOW_SANITIZE})
endif()
