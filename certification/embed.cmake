# cmake -DOUTPUT=embedded.cpp -DFOLDER=certification -P embed.cmake
# The digest is of the names and contents of all that verdicts depend on, so that a changed check is another suite.
include(${CMAKE_CURRENT_LIST_DIR}/suite_files.cmake)
get_filename_component(root ${FOLDER} DIRECTORY)
garland_suite_files(files ${root})
set(all "")
foreach(file IN LISTS files)
  file(SHA256 ${root}/${file} digest)
  string(APPEND all "${file} ${digest}\n")
endforeach()
string(SHA256 digest "${all}")
# Literals have a longest length that compilers must take; pieces of it join by themselves.
file(READ ${FOLDER}/catalogue.json text)
string(REGEX REPLACE "\n" ")catalogue\"\n    \"\\\\n\" R\"catalogue(" text "${text}")
file(READ ${FOLDER}/advisories.json advisories)
file(READ ${FOLDER}/brief.schema.json brief)
# Which checks have a mutant, and the score if it was published.
file(GLOB corpora ${FOLDER}/mutants/*.json)
set(kills "")
foreach(corpus IN LISTS corpora)
  file(READ ${corpus} mutants)
  string(REGEX MATCHALL "\"kills\": *\"[A-Z]+-[0-9]+\"" found "${mutants}")
  foreach(one IN LISTS found)
    string(REGEX REPLACE ".*\"([A-Z]+-[0-9]+)\"" "\\1" id "${one}")
    list(APPEND kills "\"${id}\"")
  endforeach()
endforeach()
list(REMOVE_DUPLICATES kills)
list(SORT kills)
list(JOIN kills "," kills)
set(score "null")
if(EXISTS ${FOLDER}/mutant-score.json)
  file(READ ${FOLDER}/mutant-score.json score)
endif()
file(WRITE ${OUTPUT} "#include \"certification/embedded.h\"

namespace garland::certification::embedded {

std::string_view catalogueText() {
  static constexpr std::string_view text = R\"catalogue(${text})catalogue\";
  return text;
}

std::string_view advisoriesText() {
  static constexpr std::string_view text = R\"advisories(${advisories})advisories\";
  return text;
}

std::string_view briefSchemaText() {
  static constexpr std::string_view text = R\"brief(${brief})brief\";
  return text;
}

std::string_view mutantsText() {
  static constexpr std::string_view text = R\"mutants({\"kills\":[${kills}],\"score\":${score}})mutants\";
  return text;
}

std::string_view suiteDigest() { return \"${digest}\"; }

} // namespace garland::certification::embedded
")
