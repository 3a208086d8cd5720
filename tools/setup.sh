#!/bin/sh
# Sees to it that the machine has what tools/packages.txt lists.
#
#	setup.sh GROUP...	installs what is missing of base and of these groups through apt: as
#				root, or with sudo after asking on a terminal. Otherwise prints the
#				one command, apt's or that of the package manager that is there, and
#				stops. Then tries each compiler with a program that it compiles and
#				boots.
#	setup.sh --doctor	one line for each need; for a fault the command that mends it.
#
# Says everything on standard error and ends with 0, or 2 if something is still missing. Plain sh:
# this is what runs first on a machine that has nothing.

set -u
tools=$(dirname "$0")
list=$tools/packages.txt
etc=${TRELLIS_ETC:-/etc}		# another one in tests
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
tab=$(printf '\t')

say() { printf '%s\n' "$*" >&2; }

# at_least FOUND NEEDED: compares versions.
at_least() {
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

# version_of PROGRAM: the first number with a dot in what it says of itself.
version_of() {
	{ "$1" --version 2>&1 || "$1" -V 2>&1; } </dev/null |
		grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1
}

# look NEEDS VERSION: is one of the alternatives there? Sets `found` to what was seen.
look() {
	found=
	for need in $(echo "$1" | tr '|' ' '); do
		case $need in
		boots:*)
			port=${need#boots:}
			found=$("$(python_path)" "$tools/probe.py" "${port%:*}" "${port#*:}" 2>&1)
			return ;;
		riscv:*)
			need=${need#riscv:}
			"$need" -batch -ex 'set architecture riscv' 2>/dev/null | grep -q riscv || continue ;;
		native:*)
			need=${need#native:}
			[ "$(uname -m)" = x86_64 ] || continue
			command -v "$need" >/dev/null || continue ;;
		python:*)
			"$(python_path)" -c "import ${need#python:}" 2>/dev/null || continue
			found="Python module ${need#python:}"
			return 0 ;;
		*/bin/python*)
			[ -x "$need" ] || continue ;;
		npm:*)
			found=$(node "$tools/../${need#npm:}/check.mjs" 2>/dev/null) || continue
			found="npm packages of ${need#npm:}"
			return 0 ;;
		/*)
			[ -e "$need" ] || continue
			found=${need##*/}
			return 0 ;;
		*)
			command -v "$need" >/dev/null || continue ;;
		esac
		found=$(version_of "$need")
		[ "$2" = - ] || at_least "${found:-0}" "$2" || continue
		found="${need##*/} $found"
		return 0
	done
	return 1
}

python_path() {
	for path in /usr/bin/python3 /usr/bin/python3.12 /usr/bin/python3.11 $(command -v python3); do
		[ -x "$path" ] && at_least "$(version_of "$path")" 3.11 && echo "$path" && return
	done
}

# choose PACKAGES: the first alternative that apt knows and that is not installed yet. On a fresh machine
# apt knows none, and the name goes by the release.
choose() {
	for package in $(echo "$1" | tr '|' ' '); do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
		[ -n "$(apt-cache show --no-all-versions "$package" 2>/dev/null)" ] || continue
		echo "$package"
		return
	done
	case $(sed -n 's/^VERSION_CODENAME=//p' "$etc/os-release" 2>/dev/null) in
	bookworm | noble) echo "${1##*|}" ;;
	*) echo "${1%%|*}" ;;
	esac
}

# packages_for GROUPS: packages for what is missing, on one line.
packages_for() {
	while IFS=$tab read -r group needs version packages _; do
		case " $1 " in *" $group "*) ;; *) continue ;; esac
		case $needs in boots:* | npm:*) continue ;; esac
		look "$needs" "$version" || choose "$packages"
	done <"$list" | sort -u | tr '\n' ' ' | sed 's/ $//'
}

install_command() { echo "apt-get install -y --no-install-recommends $*"; }

# whole_command PACKAGES: for a person, on a machine whose apt may know of no package yet.
whole_command() {
	whole="apt-get update && $(install_command "$*")"
	[ "$(id -u)" -eq 0 ] || whole="sudo sh -c '$whole'"
	echo "$whole"
}

# command_elsewhere PACKAGES: installs the same by a package manager that is not apt.
command_elsewhere() {
	column=1
	for manager in dnf pacman zypper brew; do
		column=$((column + 1))
		command -v $manager >/dev/null && break
	done || return 1
	names=
	for package in $1; do
		name=$(grep "^$package$tab" "$tools/packages-elsewhere.txt" | cut -f $column)
		if [ "${name:--}" = - ]; then
			say "setup: missing, and no package of $manager's is known to have it: $package"
		else
			names="$names $name"
		fi
	done
	case $manager in
	pacman) printf 'sudo pacman -S --needed' ;;
	brew) printf 'brew install' ;;
	*) printf 'sudo %s install' "$manager" ;;
	esac
	printf '%s\n' "$(echo "$names" | tr ' ' '\n' | sort -u | tr '\n' ' ')"
}

# try_toolchains GROUPS: a compiler that is there may still lack its assembler, or headers.
try_toolchains() {
	while IFS=$tab read -r group needs _ packages purpose; do
		case $needs in boots:*) ;; *) continue ;; esac
		case " $1 " in *" $group "*) ;; *) continue ;; esac
		look "$needs" - && continue
		say "setup: $purpose: $found"
		say "setup: mend it with: $(repair_command "$packages")"
		return 2
	done <"$list"
}

# npm_command FOLDER: installs the packages that its lock file pins; they need no compiler, nor root.
npm_command() { echo "npm ci --prefix $1"; }

# install_npm GROUPS: packages of Node.js, which apt has installed by now.
install_npm() {
	while IFS=$tab read -r group needs _; do
		case $needs in npm:*) ;; *) continue ;; esac
		case " $1 " in *" $group "*) ;; *) continue ;; esac
		look "$needs" - && continue
		command=$(npm_command "${needs#npm:}")
		(cd "$tools/.." && $command >&2 </dev/null) && look "$needs" - && continue
		say "setup: ${needs#npm:}: ${found:-npm failed}; try it by hand: $command"
		return 2
	done <"$list"
}

# repair_command PACKAGES: for tools that are there and do not work.
repair_command() {
	whole_command "$(echo "$1" | tr '|' ' ')" | sed 's/ install / install --reinstall /'
}

doctor() {
	bad=0
	while IFS=$tab read -r group needs version packages purpose; do
		case $group in base | test) ;; *) continue ;; esac
		# A toolchain is tried when all that it needs is there.
		case $needs in boots:*)
			[ $bad -eq 0 ] || continue
			if look "$needs" -; then
				printf 'ok       %-44s %s\n' "$found" "($purpose)"
				continue
			fi
			bad=$((bad + 1))
			printf 'BROKEN   %s: %s\n' "$purpose" "$found"
			printf '         mend it with: %s\n' "$(repair_command "$packages")"
			continue ;;
		esac
		wanted=$purpose
		[ "$version" = - ] || wanted="$purpose, $version or newer"
		if look "$needs" "$version"; then
			printf 'ok       %-44s %s\n' "$found" "($wanted)"
			continue
		fi
		bad=$((bad + 1))
		name=${needs%%|*}
		printf 'MISSING  %-44s %s\n' "$name${found:+ is $found}" "($wanted)"
		case $needs in
		npm:*) mend=$(npm_command "${needs#npm:}") ;;
		*) mend=$(whole_command "$(choose "$packages")") ;;
		esac
		printf '         mend it with: %s\n' "$mend"
	done <"$list"
	[ $bad -eq 0 ] || { say "doctor: $bad faults; make setup installs what is missing"; return 2; }
	say "doctor: all is there"
}

install() {
	missing=$(packages_for "$*")
	[ -n "$missing" ] || { install_npm "$*" && try_toolchains "$*"; return; }
	if ! command -v apt-get >/dev/null; then
		if command=$(command_elsewhere "$missing"); then
			say "setup: packages are missing. Install them with this, then try again:"
			say "$command"
		else
			say "setup: these Debian packages, or what they hold, are missing: $missing"
		fi
		return 2
	fi
	sudo=
	if [ "$(id -u)" -ne 0 ]; then
		if [ ! -t 0 ] || [ ! -t 2 ] || ! command -v sudo >/dev/null; then
			say "setup: packages are missing. Install them with this, then try again:"
			say "$(whole_command "$missing")"
			return 2
		fi
		printf 'setup: install with sudo: %s? [y/N] ' "$missing" >&2
		read -r answer
		case $answer in [yY]*) sudo=sudo ;; *) say "setup: nothing installed"; return 2 ;; esac
	fi
	say "setup: installing what is missing; this takes a few minutes, once"
	$sudo apt-get update -q >&2 || say "setup: apt-get update failed; trying with what apt knows"
	# Only now does apt know every name, so choose again.
	missing=$(packages_for "$*")
	# shellcheck disable=SC2046,SC2086 # words on purpose
	$sudo env DEBIAN_FRONTEND=noninteractive $(install_command $missing) -q \
		-o DPkg::Lock::Timeout=600 >&2 ||
		{ say "setup: apt could not install: $missing"; return 2; }
	missing=$(packages_for "$*")
	[ -n "$missing" ] || { install_npm "$*" && try_toolchains "$*"; return; }
	say "setup: installed, but still missing or too old: $missing (make doctor tells more;" \
		"Debian 12 or Ubuntu 24.04 or newer has all)"
	return 2
}

case ${1-} in
--doctor) doctor ;;
--python) python_path ;;
'') say "usage: setup.sh GROUP... | --doctor"; exit 2 ;;
*) install base "$@" ;;	# each group builds or boots something, and that takes base
esac
