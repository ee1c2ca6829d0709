# SPDX-License-Identifier: MIT
# Generates a source file with version, commit and compiler. Runs at build time, not at configure time, so that the commit
# is the one that was built.
add_custom_target(popflow_version_source
  BYPRODUCTS ${PROJECT_BINARY_DIR}/generated/version.cpp
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUTPUT=${PROJECT_BINARY_DIR}/generated/version.cpp
          -DVERSION=${PROJECT_VERSION} "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
          -DBUILD_TYPE=${CMAKE_BUILD_TYPE} -P ${PROJECT_SOURCE_DIR}/cmake/write_version.cmake
  COMMENT "")
