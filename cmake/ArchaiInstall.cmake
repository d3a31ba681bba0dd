# What `cmake --install build --prefix DIRECTORY` puts there: bin/, the headers that plug-ins include, examples, texts.
# Programs look for each other beside themselves, so the folder may be moved, and symlinks to them work.
include(GNUInstallDirs)
install(TARGETS archai-run archai-space archai-inspect archai-evaluator archai-guard archai-indexer archai-loader
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# cc -shared -fPIC -I PREFIX/include/archai mine.c: headers are included as "core/plugin.h", here as there.
install(DIRECTORY core/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/archai/core FILES_MATCHING PATTERN "*.h")
install(DIRECTORY configs slurm DESTINATION ${CMAKE_INSTALL_DATADIR}/archai-run)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/archai-run)
