# What `cmake --install build --prefix DIRECTORY` puts there: bin/, the headers that plug-ins include, man pages, completion,
# examples, texts. Programs look for each other beside themselves, so the folder may be moved, and symlinks to them work.
include(GNUInstallDirs)
install(TARGETS archai-run archai-space archai-inspect archai-evaluator archai-guard archai-indexer archai-loader
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# cc -shared -fPIC -I PREFIX/include/archai mine.c: headers are included as "core/plugin.h", here as there. These are the
# public ones: core/plugin.h, what it includes, and what a space that is written as the built-in ones includes beside it.
foreach(header plugin.h base/alloc.h base/err.h base/json_object.h base/number.h base/rng.h config/ini.h config/option.h
        measure/measure.h network/network.h search/evaluation.h search/model.h search/objective.h search/space.h search/trial.h)
  get_filename_component(folder core/${header} DIRECTORY)
  install(FILES core/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/archai/${folder})
endforeach()

install(DIRECTORY configs slurm DESTINATION ${CMAKE_INSTALL_DATADIR}/archai-run PATTERN "__pycache__" EXCLUDE)
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/archai-run) # beside the folders that it links to
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# A man page is what --help prints, so it is made from the program that was built.
if(NOT CMAKE_CROSSCOMPILING)
  set(archai-run_purpose "neural architecture search for clusters")
  set(archai-space_purpose "show what a search space contains")
  set(archai-inspect_purpose "show the results of a search")
  foreach(program archai-run archai-space archai-inspect)
    set(page ${PROJECT_BINARY_DIR}/man/${program}.1)
    add_custom_command(OUTPUT ${page} VERBATIM
      COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
      COMMAND sh ${PROJECT_SOURCE_DIR}/cmake/package/manpage.sh $<TARGET_FILE:${program}> ${${program}_purpose} > ${page}
      DEPENDS ${program} cmake/package/manpage.sh COMMENT "man page of ${program}")
    list(APPEND pages ${page})
  endforeach()
  add_custom_target(archai_man ALL DEPENDS ${pages})
  install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()

# bash loads a program's completion by the program's name.
foreach(program archai-run archai-space archai-inspect)
  install(FILES cmake/package/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ${program})
  install(FILES cmake/package/completion.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME ${program}.fish)
endforeach()
install(FILES cmake/package/completion.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _archai-run)

# cpack -G DEB in the build directory: a Debian package whose dependencies are read from the programs themselves; mpirun, which
# no program links, is added by hand.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME archai-run)
set(CPACK_PACKAGE_CONTACT "the archai-run authors <archai-run@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "openmpi-bin")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "python3-h5py, hdf5-tools")
include(CPack)
