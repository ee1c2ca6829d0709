// SPDX-License-Identifier: MIT
#include "reference.hpp"

#include <algorithm>
#include <cstdio>

#include "core/text.hpp"
#include "core/version.hpp"

namespace popflow::apps {

namespace {

const char* const markdown_begin =
    "# Options\n\nWritten by `popflow help --markdown`. Every option of a verb is also a key of the file "
    "that `--config` names,\nas `option = value`; what the command line says comes first. A default that "
    "depends on the method or the recipe is\nthe one of `--method mfm --recipe popflow`.\n";

const char* const manual_begin =
    ".SH NAME\npopflow \\- learns how drugs move whole cell populations\n.SH SYNOPSIS\n"
    ".B popflow\n.I VERB\n.RI [ options ]\n.br\n.B mpirun \\-n\n.I N\n.B popflow\n.I VERB\n.RI [ options ]\n"
    ".SH DESCRIPTION\nTrains Meta Flow Matching, a velocity field of single cells that is conditioned on an "
    "embedding of the untreated population, over MPI ranks, and scores what it predicts for patients that "
    "it never saw. Every verb runs alone or under mpirun or srun with any number of ranks, and gives the "
    "same answer.\n.PP\nEvery option of a verb is also a key of the file that\n.B \\-\\-config\nnames, as\n"
    ".RI ` option\n=\n.IR value ';\nwhat the command line says comes first.\n.SH VERBS\n";

const char* const manual_end =
    ".SH EXIT STATUS\n.TP\n0\ndone\n.TP\n1\nfailed\n.TP\n2\nthe input is wrong; one line says which file, "
    "field and value\n.TP\n75\nstopped on SIGTERM or SIGUSR1 after a checkpoint, fit to requeue\n"
    ".SH ENVIRONMENT\n.TP\n.B OMP_NUM_THREADS\nthreads of a rank\n.TP\n.B OMP_WAIT_POLICY\n"
    ".I passive\nwhere ranks share cores\n.SH SEE ALSO\n.BR mpirun (1),\n.BR sbatch (1)\n";

// A word that is typed and an option's argument are told apart by case: FILE, NAME=VALUE, but fm|cgfm|mfm.
const char* const bash_end = R"(    esac
    for option in "${options[@]}"; do
        [ "${option%%=*}" = "$before" ] && [ "$option" != "$before" ] || continue
        for option in $(printf '%s' "${option#*=}" | tr '|' ' '); do
            case $option in *[A-Z]*) ;; *) values+=("$option") ;; esac
        done
        [ "${#values[@]}" -lt 2 ] || COMPREPLY=($(compgen -W "${values[*]}" -- "$word"))
        return
    done
    for option in "${options[@]}"; do
        [[ $word != -* && $option == -* ]] || values+=("${option%%=*}")
    done
    [ "${#values[@]}" = 0 ] || COMPREPLY=($(compgen -W "${values[*]}" -- "$word"))
}
complete -o default -F _popflow popflow
)";

const char* const zsh_end = R"(esac
for option in $options; do
    [[ ${option%%=*} == $before && $option == *=* ]] || continue
    values=(${(s:|:)${option#*=}})
    values=(${values:#*[A-Z]*})
    if (( $#values > 1 )); then compadd -- $values; else _files; fi
    return
done
[[ $PREFIX == -* ]] && values=(${options%%=*}) || values=(${options:#-*})
if (( $#values )); then compadd -- $values; else _files; fi
)";

std::string names_of(std::span<const Verb> verbs) {
    std::string names;
    for (const Verb& verb : verbs) names += std::string(verb.name) + " ";
    return names + "help --help --version";
}

void print_begin(const std::string& listing, std::span<const Verb> verbs) {
    const std::string names = names_of(verbs);
    if (listing == "--markdown") {
        std::printf("%s", markdown_begin);
    } else if (listing == "--man") {
        std::printf(".TH POPFLOW 1 \"\" \"popflow %s\" \"User Commands\"\n%s", core::version(), manual_begin);
    } else if (listing == "--bash") {
        std::printf(
            "# Completion of popflow in bash. Written by `popflow help --bash`.\n_popflow() {\n"
            "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} option\n"
            "    local -a options=() values=()\n    if [ \"$COMP_CWORD\" = 1 ]; then\n"
            "        COMPREPLY=($(compgen -W \"%s\" -- \"$word\"))\n        return\n    fi\n"
            "    case ${COMP_WORDS[1]} in\n",
            names.c_str());
    } else {
        std::printf(
            "#compdef popflow\n# Completion of popflow in zsh. Written by `popflow help --zsh`.\n"
            "local option before=${words[CURRENT - 1]}\nlocal -a options values\n"
            "if (( CURRENT == 2 )); then\n    compadd -- %s\n    return\nfi\ncase ${words[2]} in\n",
            names.c_str());
    }
}

void print_heading(const std::string& listing, const Verb& verb) {
    if (listing == "--markdown") {
        std::printf("\n## %s\n\n%s\n\n", verb.name, verb.does);
    } else if (listing == "--man") {
        std::printf(".SS popflow %s\n%s.\n", verb.name, core::manual_text(verb.does).c_str());
    } else {
        std::printf("    %s) options=(", verb.name);
    }
}

const char* end_of(const std::string& listing) {
    if (listing == "--man") return manual_end;
    if (listing == "--bash") return bash_end;
    if (listing == "--zsh") return zsh_end;
    return "";
}

// Lines of a block of code in Markdown.
std::string code_lines(const std::string& text) {
    std::string out;
    for (const char c : text) {
        out += c;
        if (c == '\n') out += "    ";
    }
    for (std::size_t at = 0; (at = out.find("    \n", at)) != std::string::npos;) out.erase(at, 4);
    return out;
}

}  // namespace

bool is_completion(const std::string& listing) {
    return listing == "--bash" || listing == "--zsh";
}

bool is_listing(const std::string& argument) {
    return argument == "--markdown" || argument == "--man" || is_completion(argument);
}

void print_reference(const std::string& listing, std::span<const Verb> verbs, const mpi::Communicator& comm) {
    if (comm.root()) print_begin(listing, verbs);
    for (const Verb& verb : verbs) {
        if (comm.root()) print_heading(listing, verb);
        verb.run({listing}, comm);
        if (comm.root() && is_completion(listing)) std::printf(") ;;\n");
    }
    if (comm.root()) std::printf("%s", end_of(listing));
}

void print_listing(const std::string& listing, const std::string& usage, const options::OptionTable& table,
                   const std::vector<options::Section>& sections) {
    if (listing == "--markdown") {
        std::printf("    popflow %s\n\n%s", code_lines(usage).c_str(), table.markdown(sections).c_str());
    } else if (listing == "--man") {
        std::printf(".PP\n.nf\npopflow %s\n.fi\n%s", core::manual_text(usage).c_str(),
                    table.manual(sections).c_str());
    } else {
        std::printf("%s ", table.words(sections).c_str());
    }
}

}  // namespace popflow::apps
