# The files of page/, embedded into archai-inspect as page.h names them. Sections are drawn in this order.
set(report_sections overview load fronts progress importance parallel curves timeline failures models config)
set(script base plot ${report_sections} compare main)
list(TRANSFORM script PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/inspect/report/page/)
list(TRANSFORM script APPEND .js)
set(style ${CMAKE_CURRENT_SOURCE_DIR}/inspect/report/page/style.css)
list(JOIN script | joined)
set(report_page ${CMAKE_CURRENT_BINARY_DIR}/report_page.c)
add_custom_command(OUTPUT ${report_page} VERBATIM
  COMMAND ${CMAKE_COMMAND} -DOUT=${report_page} -DHEADER=runner/inspect/report/page.h
          "-DARRAYS=report_style=${style};report_script=${joined}" -P ${PROJECT_SOURCE_DIR}/cmake/ArchaiEmbed.cmake
  DEPENDS ${script} ${style} ${PROJECT_SOURCE_DIR}/cmake/ArchaiEmbed.cmake)
