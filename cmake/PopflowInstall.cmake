# SPDX-License-Identifier: MIT
# Contents of `cmake --install` and of the Debian package.
include(GNUInstallDirs)
install(TARGETS popflow_app RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# The library for other programs: `find_package(popflow)` defines popflow::popflow.
include(CMakePackageConfigHelpers)
set(popflow_package ${CMAKE_INSTALL_LIBDIR}/cmake/popflow)
install(TARGETS popflow EXPORT popflow_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT popflow_targets NAMESPACE popflow:: FILE popflow-targets.cmake DESTINATION ${popflow_package})
install(DIRECTORY include/popflow DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_package_config_file(cmake/popflow-config.cmake.in ${PROJECT_BINARY_DIR}/popflow-config.cmake
                              INSTALL_DESTINATION ${popflow_package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/popflow-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/popflow-config.cmake ${PROJECT_BINARY_DIR}/popflow-config-version.cmake
              cmake/FindDNNL.cmake DESTINATION ${popflow_package})
install(DIRECTORY configs slurm DESTINATION ${CMAKE_INSTALL_DATADIR}/popflow USE_SOURCE_PERMISSIONS)
install(DIRECTORY python/ DESTINATION ${CMAKE_INSTALL_DATADIR}/popflow/python FILES_MATCHING PATTERN "*.py"
        PATTERN bindings EXCLUDE)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING
        PATTERN "site" EXCLUDE PATTERN "*.md" PATTERN "*.png")
install(FILES docs/popflow.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES completions/popflow.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME popflow)
install(FILES completions/_popflow DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES data/egf_sample.h5ad data/NOTICE data/README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/popflow/data)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME popflow)
set(CPACK_PACKAGE_CONTACT "popflow developers <popflow@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # dpkg-shlibdeps lists the libraries that the program is linked to
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS openmpi-bin)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "fonts-liberation, librsvg2-2, python3-anndata")
include(CPack)
