# Man page and completions of one tool, written by the tool itself from its option table:
#   cmake -DTOOL=path -DNAME=lbann-plot -DMAN=man -DOUTPUT=folder -P generate_docs.cmake
# The folders below OUTPUT are those of an installation's share/.
function(check code what errors)
  if(NOT code STREQUAL "0")
    message(FATAL_ERROR "${NAME}: cannot make ${what}: ${errors}")
  endif()
endfunction()

file(MAKE_DIRECTORY ${OUTPUT}/man/man1 ${OUTPUT}/bash-completion/completions ${OUTPUT}/zsh/site-functions
     ${OUTPUT}/fish/vendor_completions.d)
execute_process(COMMAND ${TOOL} --generate=man INPUT_FILE ${MAN}/${NAME}.1
                OUTPUT_FILE ${OUTPUT}/man/man1/${NAME}.1 RESULT_VARIABLE code ERROR_VARIABLE errors)
check("${code}" "the man page" "${errors}")
foreach(pair bash=bash-completion/completions/${NAME} zsh=zsh/site-functions/_${NAME}
        fish=fish/vendor_completions.d/${NAME}.fish)
  string(REGEX MATCH "^[a-z]+" shell ${pair})
  string(REGEX REPLACE "^[a-z]+=" "" file ${pair})
  execute_process(COMMAND ${TOOL} --generate=${shell} OUTPUT_FILE ${OUTPUT}/${file}
                  RESULT_VARIABLE code ERROR_VARIABLE errors)
  check("${code}" "the completion for ${shell}" "${errors}")
endforeach()
