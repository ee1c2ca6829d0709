# SPDX-License-Identifier: MIT
# Interface target with the language standard, the warnings and the sanitizers of every target of this project. Targets of
# other projects do not get them.
add_library(popflow_options INTERFACE)
target_compile_features(popflow_options INTERFACE cxx_std_20)
target_compile_options(popflow_options INTERFACE
  -Wall -Wextra -Wpedantic
  # A declaration hides another. Sources that join in a unity build have local names of each other.
  $<$<NOT:$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>:-Wshadow>
  # A class of a source that joins in a unity build has a base that is local to this source.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>:-Wno-subobject-linkage>
  -Wconversion          # an implicit conversion may change a value
  -Wnon-virtual-dtor
  -Wno-sign-conversion  # unsigned sizes are mixed with signed OpenMP loop counters throughout
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>  # false positives, GCC bug 105651
  # The same false positives under another name, if more is inlined.
  "$<$<AND:$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>,$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-stringop-overflow;-Wno-stringop-overread;-Wno-array-bounds>"
  -fno-math-errno       # allows vectorised square roots, without a change of results
  -fno-trapping-math    # allows vectorised branches, since popflow does not read the floating-point exception flags
  # Unit tests need no optimisation of their own. -O1 compiles them in three quarters of the time.
  $<$<CONFIG:Release>:$<IF:$<BOOL:$<TARGET_PROPERTY:POPFLOW_IS_UNIT_TEST>>,-O1,-O3>>
  $<$<BOOL:${POPFLOW_WERROR}>:-Werror>)
if(POPFLOW_FUZZ)
  target_compile_options(popflow_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(POPFLOW_SANITIZE)
  target_compile_options(popflow_options INTERFACE -fsanitize=${POPFLOW_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(popflow_options INTERFACE -fsanitize=${POPFLOW_SANITIZE})
endif()

# popflow_compile_alone(source...): keeps sources of the current folder out of a unity build (CMAKE_UNITY_BUILD). Their local names
# are also those of another source of the folder.
function(popflow_compile_alone)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE sources)
  set_source_files_properties(${sources} DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src
                              PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# popflow_precompile(target [header...]): with POPFLOW_PRECOMPILE_HEADERS, precompiles the headers that most sources include,
# and the given ones.
function(popflow_precompile target)
  if(POPFLOW_PRECOMPILE_HEADERS)
    target_precompile_headers(${target} PRIVATE <algorithm> <cmath> <filesystem> <fstream> <functional> <map> <memory> <optional>
                              <set> <span> <string> <vector> <fmt/format.h> ${ARGN})
  endif()
endfunction()
