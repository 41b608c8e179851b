# The contract: C++ from schema/*.capnp, generated into the build folder and included as "schema/NAME.capnp.h".

file(GLOB schema_files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/schema/*.capnp")
set(schema_out "${CMAKE_BINARY_DIR}/generated")
file(MAKE_DIRECTORY "${schema_out}")
set(schema_sources)
set(schema_headers)
foreach(file IN LISTS schema_files)
  get_filename_component(name "${file}" NAME)
  list(APPEND schema_sources "${schema_out}/schema/${name}.c++")
  list(APPEND schema_headers "${schema_out}/schema/${name}.h")
endforeach()
add_custom_command(
  OUTPUT ${schema_sources} ${schema_headers}
  COMMAND "${RELAB_CAPNP}" compile "-o${RELAB_CAPNPC_CXX}:${schema_out}" "-I${CMAKE_SOURCE_DIR}"
          "--src-prefix=${CMAKE_SOURCE_DIR}" ${schema_files}
  DEPENDS ${schema_files}
  COMMENT "Generating C++ from the schema"
  VERBATIM)
add_custom_target(relab_schema_sources DEPENDS ${schema_sources} ${schema_headers})
add_library(relab_schema STATIC ${schema_sources} ${schema_headers})
target_include_directories(relab_schema PUBLIC "${CMAKE_SOURCE_DIR}")
target_include_directories(relab_schema SYSTEM PUBLIC "${schema_out}")
target_link_libraries(relab_schema PUBLIC relab_dependencies)
set_target_properties(relab_schema PROPERTIES CXX_CLANG_TIDY "")
target_compile_options(relab_schema PRIVATE -w)
