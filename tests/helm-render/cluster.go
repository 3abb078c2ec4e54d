package main

import (
	"encoding/json"
	"os"
	"strings"
)

// scope is the dot of every template.
func scope(c *chart, values map[string]interface{}, a arguments) map[string]interface{} {
	about := map[string]interface{}{}
	for key, value := range c.metadata {
		about[strings.ToUpper(key[:1])+key[1:]] = value // the templates see fields of a Go struct: .Chart.AppVersion
	}

	about["APIVersion"] = c.metadata["apiVersion"]
	parts := strings.SplitN(strings.TrimPrefix(a.kubeVersion, "v"), ".", 3)
	return map[string]interface{}{
		"Values": values,
		"Chart":  about,
		"Files":  c.files,
		"Release": map[string]interface{}{
			"Name":      a.release,
			"Namespace": a.namespace,
			"Service":   "Helm",
			"IsInstall": !a.upgrade,
			"IsUpgrade": a.upgrade,
			"Revision":  1,
		},
		"Capabilities": map[string]interface{}{
			"APIVersions": apiVersions(append([]string{"v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1"}, a.apiVersions...)),
			"KubeVersion": kubeVersion{Version: a.kubeVersion, GitVersion: a.kubeVersion, Major: parts[0], Minor: parts[1]},
		},
	}
}

type apiVersions []string

func (v apiVersions) Has(name string) bool {
	for _, version := range v {
		if version == name {
			return true
		}
	}

	return false
}

type kubeVersion struct{ Version, GitVersion, Major, Minor string }

func (v kubeVersion) String() string { return v.Version }

// cluster holds what `lookup` finds: nothing, as under `helm template`, unless a file names objects.
type cluster []map[string]interface{}

func newCluster(file string) (cluster, error) {
	var found cluster
	if file == "" {
		return found, nil
	}

	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &found)
	}

	return found, err
}

func (c cluster) lookup(apiVersion, kind, namespace, name string) map[string]interface{} {
	for _, object := range c {
		about, _ := object["metadata"].(map[string]interface{})
		if object["apiVersion"] == apiVersion && object["kind"] == kind && about["namespace"] == namespace && about["name"] == name {
			return object
		}
	}

	return map[string]interface{}{}
}
