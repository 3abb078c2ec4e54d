// helm-render renders the chart as `helm template` does, for machines without helm: Go's templates, sprig and what
// helm adds to them. It knows one chart without dependencies and no cluster. A template that names a function that
// helm does not have, or that prints a value that is not there, fails.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

// list is a flag that may be given more than once.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

type arguments struct {
	chart       string
	valueFiles  list
	apiVersions list
	release     string
	namespace   string
	kubeVersion string
	objects     string
	upgrade     bool
	show        string
}

func parse() (arguments, error) {
	var a arguments
	flag.Var(&a.valueFiles, "f", "values file; the last one wins")
	flag.Var(&a.apiVersions, "api-versions", "API that .Capabilities.APIVersions.Has finds")
	flag.StringVar(&a.release, "release", "maintenance", "name of the release")
	flag.StringVar(&a.namespace, "namespace", "default", "namespace of the release")
	flag.StringVar(&a.kubeVersion, "kube-version", "v1.31.0", "version of Kubernetes")
	flag.StringVar(&a.objects, "objects", "", "file with a JSON array of the objects that `lookup` finds")
	flag.BoolVar(&a.upgrade, "upgrade", false, "an upgrade instead of an install")
	flag.StringVar(&a.show, "show", "manifests", "manifests, notes, or values (merged, as JSON)")
	flag.Parse()
	if flag.NArg() != 1 {
		return a, errors.New("usage: helm-render [flags] <chart folder>")
	}

	a.chart = flag.Arg(0)
	return a, nil
}

func run() error {
	a, err := parse()
	if err != nil {
		return err
	}

	loaded, err := loadChart(a.chart)
	if err != nil {
		return err
	}

	values, err := mergedValues(loaded, a.valueFiles)
	if err != nil {
		return err
	}

	if a.show == "values" {
		text, err := json.Marshal(values)
		if err == nil {
			fmt.Println(string(text))
		}

		return err
	}

	cluster, err := newCluster(a.objects)
	if err != nil {
		return err
	}

	rendered, err := newEngine(loaded, cluster).render(scope(loaded, values, a))
	if err != nil {
		return err
	}

	for _, file := range rendered {
		isNotes := strings.HasSuffix(file.name, "NOTES.txt")
		switch {
		case strings.TrimSpace(file.text) == "" || isNotes != (a.show == "notes"):
		case isNotes:
			fmt.Println(file.text)
		default:
			fmt.Printf("---\n# Source: %s\n%s\n", file.name, strings.Trim(file.text, "\n"))
		}
	}

	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}
