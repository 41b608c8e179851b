# Warnings and sanitizers for our own targets; never for generated code.

add_library(relab_warnings INTERFACE)
target_compile_options(relab_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wcast-qual -Wformat=2 -Wundef -Wmissing-declarations -Wextra-semi
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op>
  $<$<CXX_COMPILER_ID:Clang>:-Wunreachable-code-aggressive>
  $<$<BOOL:${RELAB_WERROR}>:-Werror>)
target_compile_definitions(relab_warnings INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

if(RELAB_SANITIZE)
  add_compile_options(-fsanitize=${RELAB_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${RELAB_SANITIZE})
  add_compile_definitions(RELAB_SANITIZED)
endif()

# Coverage for the fuzzers, of everything they call; main() comes with their own link option.
if(RELAB_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
