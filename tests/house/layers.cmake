# SPDX-License-Identifier: MIT
# Checks the includes of src/. Fails on
#   - an #include that the layer table below does not allow,
#   - a library header outside the folder that owns it,
#   - a folder of src/ that the table does not list.
# Run: cmake -DROOT=<project> -P tests/house/layers.cmake
cmake_minimum_required(VERSION 3.25)

set(may_core "")
set(may_linalg core)
set(may_h5 core)
set(may_dist core)
set(may_nn core linalg)
set(may_ode core linalg)
set(may_ot core linalg)
set(may_models core linalg nn ode ot)
set(may_metrics core linalg ot)
set(may_data core linalg h5)
set(may_train core linalg nn h5 dist data models ot)
set(may_plot core linalg)
set(may_eval core linalg h5 dist data models metrics plot)
set(may_config core data models train eval)
set(folders core linalg h5 dist nn ode ot models metrics data train plot eval config)

# Header pattern, and the only folder that may include it.
set(owned "dnnl" "hdf5\\.h" "mpi\\.h" "boost/program_options" "(ft2build|freetype)" "zlib\\.h")
set(owner linalg h5 dist config data h5)

set(problems "")
file(GLOB found RELATIVE ${ROOT}/src ${ROOT}/src/*)
foreach(folder IN LISTS found)
  if(IS_DIRECTORY ${ROOT}/src/${folder} AND NOT folder IN_LIST folders)
    list(APPEND problems "src/${folder}: not in the layer table, add it to tests/house/layers.cmake")
  endif()
endforeach()

foreach(folder IN LISTS folders)
  file(GLOB_RECURSE sources ${ROOT}/src/${folder}/*.hpp ${ROOT}/src/${folder}/*.cpp)
  foreach(source IN LISTS sources)
    file(STRINGS ${source} includes REGEX "^[ \t]*#[ \t]*include")
    foreach(line IN LISTS includes)
      if(line MATCHES "\"([a-z0-9_]+)/")
        set(target ${CMAKE_MATCH_1})
        if(NOT target STREQUAL folder AND NOT target IN_LIST may_${folder})
          list(APPEND problems "${source}: ${folder} may not include ${target}")
        endif()
      elseif(line MATCHES "\"")
        list(APPEND problems "${source}: include a header of popflow as \"folder/name.hpp\": ${line}")
      endif()
      foreach(header who IN ZIP_LISTS owned owner)
        if(line MATCHES "<${header}" AND NOT folder STREQUAL who)
          list(APPEND problems "${source}: only ${who} may include this library: ${line}")
        endif()
      endforeach()
    endforeach()
  endforeach()
endforeach()

if(problems)
  list(JOIN problems "\n  " text)
  message(FATAL_ERROR "layers violated:\n  ${text}")
endif()
